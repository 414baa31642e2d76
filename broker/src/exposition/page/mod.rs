//! The page: a file of markup, one of style and one of script, as they stand beside this one. They
//! ask for nothing from elsewhere, and their policy forbids it.

/// A part of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum File {
    Markup,
    Style,
    Script,
}

/// What a browser may do with it: its own style and script, questions to this node, nothing else.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
    connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

impl File {
    pub(super) fn at(path: &str) -> Option<Self> {
        match path {
            "/" => Some(Self::Markup),
            "/page.css" => Some(Self::Style),
            "/page.js" => Some(Self::Script),
            _ => None,
        }
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Markup => include_str!("page.html"),
            Self::Style => include_str!("page.css"),
            Self::Script => include_str!("page.js"),
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Markup => "text/html; charset=utf-8",
            Self::Style => "text/css; charset=utf-8",
            Self::Script => "text/javascript; charset=utf-8",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_asks_nobody_else_and_makes_no_markup_of_what_it_is_told() {
        for file in [File::Markup, File::Style, File::Script] {
            let text = file.text();
            // The name of the language of drawings is no address that is asked.
            let text = text.replace("http://www.w3.org/2000/svg", "");
            for word in ["http://", "https://", "//cdn", "@import", "innerHTML", "outerHTML"] {
                assert!(!text.contains(word), "{file:?}: {word}");
            }
            for word in ["insertAdjacentHTML", "document.write", "eval(", "onclick="] {
                assert!(!text.contains(word), "{file:?}: {word}");
            }
        }
        let markup = File::Markup.text();
        assert!(!markup.contains("<style") && !markup.contains("style="), "{markup}");
        assert_eq!(markup.matches("<script").count(), 1);
        for file in [File::Style, File::Script] {
            let path = if file == File::Style { "/page.css" } else { "/page.js" };
            assert!(markup.contains(&path[1..]), "{path}");
            assert_eq!(File::at(path), Some(file));
        }
    }
}
