//! The native latency tool sends what stock's sends, and says what it says.

use tests::golden::{check, check_native, recording};
use tests::server::Kind;

#[test]
fn it_measures_and_refuses_as_stock_does() {
    check("tools/e2e-latency-4.3.1");
    if !recording() {
        check_native(Kind::Gregor, "tools/e2e-latency-4.3.1");
    }
}

#[test]
fn a_stock_broker_gives_it_the_same() {
    check_native(Kind::Stock, "tools/e2e-latency-4.3.1");
}
