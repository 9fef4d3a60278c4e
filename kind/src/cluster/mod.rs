//! A cluster of kind: from nothing, and back to nothing.
