//! What the page knows and how it changes, with neither a DOM nor yew: the link, the state and its
//! reducer, the words on the screen. It does not know the engine, the executors or the models.

pub mod link;
