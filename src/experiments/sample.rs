//! What a model reads, for a reader to see.

/// An example of what a model reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// What it is.
    pub title: &'static str,
    /// The example.
    pub text: String,
    /// How such things are made, in words.
    pub made: &'static str,
    /// The rules, as they are read by the program.
    pub rules: &'static str,
}
