//! Caffe's text format: a `.prototxt` as the [`Net`] it describes.
//!
//! The parser is `prost-reflect`'s, which refuses a field it does not know. The many variants of Caffe
//! each have fields of their own, and so do training settings that do not matter here; those are
//! blanked out first, token by token, so that positions stay as they are in the file.

use std::borrow::Cow;

use logos::{Logos, Span};
use miette::Diagnostic;
use prost::Message as _;
use prost::bytes::Bytes;
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor};

use super::proto::Net;
use super::{FORMAT_TEXT, schema};
use crate::{ImportError, printable};

/// The largest text that is read, in bytes; real ones have a few hundred thousand.
const MAX_TEXT: usize = 1 << 24;

/// Reads the text.
///
/// # Errors
/// What is no text or not in the format, with its line.
pub(super) fn read(bytes: &[u8]) -> Result<Net, ImportError> {
    if bytes.len() > MAX_TEXT {
        return Err(ImportError::TooLarge { limit: MAX_TEXT as u64 });
    }
    let damaged = |problem: String| ImportError::Damaged { format: FORMAT_TEXT, problem };
    let text = &*decoded(bytes);
    let net = schema::net();
    let known = known_fields(text, &net);
    let message = DynamicMessage::parse_text_format(net, &known).map_err(|error| {
        let place = error.labels().and_then(|mut labels| labels.next());
        let line = place.map_or_else(
            || "at the end".into(),
            |place| {
                let before = &text.as_bytes()[..place.offset().min(text.len())];
                format!("line {}", 1 + before.iter().filter(|&&byte| byte == b'\n').count())
            },
        );
        damaged(format!("{line}: {}", printable(&error.to_string())))
    })?;
    Net::decode(Bytes::from(message.encode_to_vec())).map_err(|error| damaged(error.to_string()))
}

/// The bytes as text. What is neither UTF-8 nor UTF-16 can only be comments or names that do not matter,
/// and so may be lost.
pub(crate) fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    let utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest.as_chunks().0.iter().map(|&pair| unit(pair)).collect();
        Cow::Owned(String::from_utf16_lossy(&units))
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] | rest => String::from_utf8_lossy(rest),
    }
}

#[derive(Logos, Clone, Copy, Debug, PartialEq)]
#[logos(skip r"[ \t\r\n\f\x0b]+", skip(r"#[^\n]*", allow_greedy = true))]
enum Token {
    #[regex("[A-Za-z_][A-Za-z0-9_]*")]
    Name,
    #[token("{")]
    #[token("<")]
    Open,
    #[token("}")]
    #[token(">")]
    Close,
    #[token("[")]
    OpenList,
    #[token("]")]
    CloseList,
    #[token(":")]
    Colon,
    #[token(",")]
    #[token(";")]
    Separator,
    #[token("-")]
    Minus,
    #[regex(r#""([^"\\\n]|\\.)*""#)]
    #[regex(r"'([^'\\\n]|\\.)*'")]
    Text,
    #[regex("[0-9.][0-9A-Za-z_.]*([eE][+-]?[0-9]+[fF]?)?")]
    Number,
}

/// `text` with spaces in place of every field that `message`, or a message in it, does not have.
fn known_fields(text: &str, message: &MessageDescriptor) -> String {
    let tokens: Vec<(Token, Span)> = Token::lexer(text)
        .spanned()
        .map_while(|(token, span)| token.ok().map(|token| (token, span)))
        .collect();
    let mut out = text.as_bytes().to_vec();
    // The messages around, innermost last.
    let mut around = vec![message.clone()];
    let mut at = 0;
    while let Some((token, span)) = tokens.get(at) {
        let field = around.last().and_then(|inner| inner.get_field_by_name(&text[span.clone()]));
        match (token, field.map(|field| field.kind())) {
            (Token::Name, Some(Kind::Message(inner))) => {
                at += 1 + usize::from(is(&tokens, at + 1, Token::Colon));
                if is(&tokens, at, Token::Open) {
                    around.push(inner);
                    at += 1;
                }
            }
            (Token::Name, Some(_)) => at = after_value(&tokens, at + 1),
            (Token::Name, None) => {
                let end = after_value(&tokens, at + 1);
                let until = tokens.get(end - 1).map_or(text.len(), |(_, span)| span.end);
                for byte in &mut out[span.start..until] {
                    if *byte != b'\n' {
                        *byte = b' ';
                    }
                }
                at = end;
            }
            (Token::Close, _) => {
                around.pop();
                at += 1;
            }
            _ => at += 1,
        }
    }
    String::from_utf8(out).expect("only whole tokens were replaced, by spaces")
}

fn is(tokens: &[(Token, Span)], at: usize, token: Token) -> bool {
    tokens.get(at).is_some_and(|(found, _)| *found == token)
}

/// The place after a field's value and the separator behind it; `at` is the one after its name.
fn after_value(tokens: &[(Token, Span)], mut at: usize) -> usize {
    at += usize::from(is(tokens, at, Token::Colon));
    let mut depth = 0usize;
    loop {
        match tokens.get(at).map(|(token, _)| token) {
            Some(Token::Open | Token::OpenList) => depth += 1,
            // The end of what is around: there was no value.
            Some(Token::Close | Token::CloseList) if depth == 0 => return at,
            Some(Token::Close | Token::CloseList) => depth -= 1,
            Some(Token::Minus) if depth == 0 => {
                at += 1;
                continue;
            }
            Some(_) => {}
            None => return at,
        }
        at += 1;
        if depth == 0 {
            break;
        }
    }
    // A text may be written in several pieces.
    while is(tokens, at - 1, Token::Text) && is(tokens, at, Token::Text) {
        at += 1;
    }
    at + usize::from(is(tokens, at, Token::Separator))
}
