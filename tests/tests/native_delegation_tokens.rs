//! The native tool of delegation tokens says what stock's does, where nobody gets a token; what it
//! shows of tokens is in `delegation_tokens`.

use tests::golden::{check, check_native, recording};
use tests::server::Kind;

#[test]
fn it_reads_and_refuses_what_stock_does() {
    let case = "tools/delegation-tokens-4.3.1";
    match recording() {
        true => check(case),
        false => check_native(Kind::Gregor, case),
    }
}

#[test]
fn brokers_refuse_it_in_the_words_that_stock_prints() {
    let case = "tools/delegation-tokens-asked-4.3.1";
    match recording() {
        true => check(case),
        false => check_native(Kind::Gregor, case),
    }
}
