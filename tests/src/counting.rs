//! Counters of what happens in a simulation, each with the name that a run prints.

/// A struct of counters that can be added and listed.
#[macro_export]
macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident: $what:literal,)*) => {
        #[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
        pub(crate) struct Counters {
            $($(#[$doc])* pub(crate) $name: u64,)*
        }

        impl Counters {
            /// Name and count of each.
            pub(crate) fn all(&self) -> Vec<(&'static str, u64)> {
                vec![$(($what, self.$name),)*]
            }
        }

        impl std::ops::AddAssign for Counters {
            fn add_assign(&mut self, other: Self) {
                $(self.$name += other.$name;)*
            }
        }
    };
}
