//! Owned by its developer; empty until the first commit there.
