//! Prose in lines of a terminal.

use textwrap::core::Word;
use textwrap::{Options, WordSeparator, WordSplitter};
use unicode_width::UnicodeWidthChar;

/// How prose is wrapped to so many columns: at blanks, and between characters of Chinese, which is
/// written without any. Words are never hyphenated.
pub(super) fn options<'a>(columns: usize) -> Options<'a> {
    Options::new(columns)
        .word_separator(WordSeparator::Custom(words))
        .word_splitter(WordSplitter::NoHyphenation)
}

fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let mut starts = vec![0];
    let mut before = None;
    for (at, char) in line.char_indices() {
        if before.is_some_and(|before| may_break(before, char)) {
            starts.push(at);
        }
        before = Some(char);
    }
    starts.push(line.len());
    let ranges: Vec<(usize, usize)> = starts.windows(2).map(|w| (w[0], w[1])).collect();
    let words = ranges
        .into_iter()
        .filter_map(|(from, to)| line.get(from..to));
    Box::new(words.filter(|word| !word.is_empty()).map(Word::from))
}

// A stop or closing bracket begins no line, an opening one ends none.
fn may_break(before: char, next: char) -> bool {
    const CLOSING: &str = "，。、；：！？）】」』》”’…";
    const OPENING: &str = "（【「『《“‘";
    let wide = |char: char| char.width() == Some(2);
    match (before, next) {
        (' ', next) => next != ' ',
        (_, ' ') => false,
        _ if CLOSING.contains(next) || OPENING.contains(before) => false,
        _ => wide(before) || wide(next),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, columns: usize) -> Vec<String> {
        let lines = textwrap::wrap(text, options(columns)).into_iter();
        lines.map(std::borrow::Cow::into_owned).collect()
    }

    #[test]
    fn words_are_kept_whole_and_chinese_is_broken_between_characters() {
        assert_eq!(
            wrapped("one well-known way, and/or two", 12),
            ["one", "well-known", "way, and/or", "two"]
        );
        assert_eq!(
            wrapped("停止呼叫。请求方 INVITE 出现", 10),
            ["停止呼叫。", "请求方", "INVITE 出", "现"]
        );
        assert_eq!(wrapped("停止呼叫停。止", 10), ["停止呼叫", "停。止"]);
    }
}
