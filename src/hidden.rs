//! Characters that steer a terminal or hide text, whoever wrote them.

/// Is it a control character, an override of the writing direction, a line separator, or without width?
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
        )
}
