//! What nodes write: the end of it for a failed test, and the complaints in it for a passed one.

/// Log settings of a stock node: its own words from INFO on, to stdout.
pub const STOCK_SETTINGS: &str = "\
rootLogger.level = INFO
rootLogger.appenderRef.out.ref = OUT
appender.out.type = Console
appender.out.name = OUT
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %m (%c)%n
logger.config.name = org.apache.kafka.common.config
logger.config.level = WARN
";

/// With `GREGOR_STOCK_TRACE` set: each request that comes in, as JSON, and each that goes out.
pub const STOCK_TRACE: &str = "\
logger.request.name = kafka.request.logger
logger.request.level = TRACE
logger.network.name = org.apache.kafka.clients.NetworkClient
logger.network.level = DEBUG
logger.raft.name = org.apache.kafka.raft
logger.raft.level = DEBUG
";

/// The settings of this run.
#[must_use]
pub fn stock_settings() -> String {
    let is_traced = std::env::var_os("GREGOR_STOCK_TRACE").is_some();
    format!("{STOCK_SETTINGS}{}", if is_traced { STOCK_TRACE } else { "" })
}

/// The last lines, those of stock's long settings left out.
#[must_use]
pub fn tail(output: &str) -> String {
    let lines: Vec<&str> = output.lines().filter(|line| !line.starts_with('\t')).collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

/// The lines a node wrote at this level (`ERROR`, `FATAL`): `[time] LEVEL words (logger)`.
#[must_use]
pub fn lines_at<'a>(output: &'a str, level: &str) -> Vec<&'a str> {
    let is_one = |line: &&str| {
        let after_time = line.strip_prefix('[').and_then(|line| line.split_once("] "));
        after_time.is_some_and(|(_, words)| words.split(' ').next() == Some(level))
    };
    output.lines().filter(is_one).collect()
}

/// The line after a given one of the output: where stock names the exception it logs.
#[must_use]
pub fn line_after<'a>(output: &'a str, line: &'a str) -> &'a str {
    let after = (line.as_ptr() as usize + line.len()).checked_sub(output.as_ptr() as usize);
    let rest = after.and_then(|at| output.get(at..)).unwrap_or_default();
    rest.trim_start_matches('\n').lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{line_after, lines_at};

    #[test]
    fn the_lines_of_a_level_are_found_by_their_head() {
        let output = "[2026-11-21 08:00:00,001] ERROR it broke (kafka.server.X)\n\
                      [2026-11-21 08:00:00,002] INFO an ERROR is only mentioned (kafka.server.X)\n";
        let found = lines_at(output, "ERROR");
        assert_eq!(found.len(), 1);
        assert!(line_after(output, found[0]).contains("only mentioned"));
    }
}
