//! The decisions of this folder, by tables.
