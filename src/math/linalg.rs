//! The one door to linear algebra (nalgebra behind it).
