//! The courses as their readers type them: a folder with the course's files, windows in which
//! programs run, and command lines taken from the text.
//!
//! ```text
//! tests/labs/COURSE (files of the reader) ──> Lab ──> types("./kafka/bin/kafka-topics.sh …")
//!                                              │         stock tool of its release, or native
//!                                              └────> Window: a node, a client, until Ctrl-C
//! ```
//!
//! The text's fixed ports are replaced by free ones, in its files and in what is typed.

mod apps;
mod break_fix;
mod described;
mod folder;
mod nodes;
mod shell;
mod window;

pub use apps::{Apps, Difference};
pub use break_fix::{BreakFix, WHOLE_LOAD, load};
pub use described::Row;
pub use folder::Lab;
pub use window::Window;
