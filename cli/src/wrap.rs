//! Lines of 75 columns with even edges, as Kafka's argument parser prints its complaints.
//!
//! Answers to TextHelper of argparse4j: a full line is stretched to the width by a second blank in
//! the middlemost gaps.

const WIDTH: usize = 75;

/// Breaks a text into lines, all but the last stretched to the full width. The end of the text's
/// line counts as a column.
pub(crate) fn wrap(text: &str) -> String {
    let text = format!("{text}\n");
    let mut lines = String::new();
    let mut line = String::new();
    let mut width = 0;
    for piece in pieces(&text) {
        let piece_width = piece.chars().count();
        width += piece_width;
        if width > WIDTH {
            lines.push_str(&stretch(&line));
            lines.push('\n');
            line.clear();
            width = piece_width;
        }
        line.push_str(piece);
        if piece.ends_with('\n') {
            lines.push_str(&line);
            line.clear();
            width = 0;
        }
    }
    lines + &line
}

/// Cuts a text where a line may end: behind blanks, and between a hyphen and a letter.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let characters: Vec<(usize, char)> = text.char_indices().collect();
    for pair in characters.windows(2) {
        let [(_, here), (next, after)] = *pair else {
            continue;
        };
        let behind_blank = here.is_whitespace() && !after.is_whitespace();
        let behind_hyphen = here == '-' && after.is_alphabetic();
        if behind_blank || behind_hyphen {
            pieces.extend(text.get(start..next));
            start = next;
        }
    }
    pieces.extend(text.get(start..));
    pieces
}

fn stretch(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
    let gaps = words.len().saturating_sub(1);
    if gaps == 0 {
        return words.concat();
    }
    let trimmed = line.trim_matches(' ');
    let missing = WIDTH.saturating_sub(trimmed.chars().count());
    let (every, some) = (missing / gaps, missing % gaps);
    let first = (gaps - some).div_ceil(2);
    let mut stretched = String::new();
    for (gap, word) in words.iter().enumerate() {
        stretched.push_str(word);
        if gap < gaps {
            let more = every + usize::from((first..first + some).contains(&gap));
            stretched.push_str(&" ".repeat(1 + more));
        }
    }
    stretched
}
