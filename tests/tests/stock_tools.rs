//! Stock command-line tools print against Gregor what they print against stock Kafka.

use tests::golden;

/// One test per transcript of tests/golden.
macro_rules! transcripts {
    ($($name:ident => $case:literal,)*) => {
        $(#[test]
        fn $name() {
            golden::check($case);
        })*
    };
}

transcripts! {
    topics_lifecycle => "topics/lifecycle-4.3.1",
    topics_lifecycle_with_3_7 => "topics/lifecycle-3.7.0",
    topics_errors => "topics/errors-4.3.1",
    topics_errors_with_3_7 => "topics/errors-3.7.0",
}
