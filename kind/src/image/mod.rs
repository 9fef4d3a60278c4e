//! The image of a node: what it is made of, and making it.
