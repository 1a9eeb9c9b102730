//! One tree for both notations: TOML and JSON, with the place of every key and value.
//!
//! Nothing here knows what a policy is. [`super::read`] gives the tree its meaning and needs places
//! for that, which is why neither notation is deserialised straight into structs: serde stops at the
//! first problem and forgets where it was.

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use toml::de::{DeTable, DeValue};

use super::problem::{Place, ProblemCode, Problems, quote};

/// A policy of 1,000 generous rules is about 400 kB. Beyond this it is not a policy.
const MAX_BYTES: usize = 1 << 20;

/// The language nests four deep (`defaults.reason.min_length`). The rest is room for the parts that
/// are to come; beyond it lies only mischief.
const MAX_DEPTH: u32 = 16;

/// Which notation a policy is written in. Both say the same things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// For people.
    Toml,
    /// For programs.
    Json,
}

impl Format {
    /// JSON for names that end in `.json`, in any case; otherwise TOML.
    #[must_use]
    pub fn of_file_name(name: &str) -> Self {
        let json = name
            .rsplit_once('.')
            .is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("json"));
        if json { Self::Json } else { Self::Toml }
    }
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// What both notations have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Whole(i64),
    Flag(bool),
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// What no policy has anywhere (a date, a fraction, `null`), by its name for a message.
    Other(&'static str),
}

/// One key of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) node: Node,
}

impl Value {
    /// For "... is a text, not a list".
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Whole(_) => "a number",
            Self::Flag(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(kind) => kind,
        }
    }
}

/// Reads either notation. `None` if it is neither, with every problem reported.
pub(super) fn tree(source: &str, format: Format, problems: &mut Problems<'_>) -> Option<Node> {
    if source.len() > MAX_BYTES {
        problems.error(
            Place::START,
            ProblemCode::TooLarge,
            format!("the file has {} bytes", source.len()),
            format!("a file has at most {MAX_BYTES}; parts of a policy can be files of their own, with [[include]]"),
        );
        return None;
    }
    let lines = Lines::of(source);
    match format {
        Format::Toml => from_toml(source, &lines, problems),
        Format::Json => {
            let raw = match serde_json::from_str::<&RawValue>(source) {
                Ok(raw) => raw,
                Err(error) => {
                    json_error(&error, source, &lines, problems);
                    return None;
                }
            };
            Json { source, lines }.node(raw, 0, problems)
        }
    }
}

/// Where each line begins, to turn byte offsets into places.
#[derive(Debug)]
struct Lines<'s> {
    source: &'s str,
    starts: Vec<usize>,
}

impl<'s> Lines<'s> {
    fn of(source: &'s str) -> Self {
        let starts = std::iter::once(0)
            .chain(source.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self { source, starts }
    }

    fn place(&self, offset: usize) -> Place {
        let offset = self
            .source
            .floor_char_boundary(offset.min(self.source.len()));
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let column = self
            .source
            .get(start..offset)
            .map_or(0, |before| before.chars().count());
        Place {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column + 1).unwrap_or(u32::MAX),
        }
    }
}

fn from_toml(source: &str, lines: &Lines<'_>, problems: &mut Problems<'_>) -> Option<Node> {
    let (table, errors) = DeTable::parse_recoverable(source);
    if errors.is_empty() {
        return Some(Node {
            place: Place::START,
            value: toml_table(table.get_ref(), lines),
        });
    }
    for error in errors {
        let at = error.span().map_or(source.len(), |span| span.start);
        problems.error(
            lines.place(at),
            ProblemCode::Syntax,
            error.message(),
            if source.trim_start().starts_with('{') {
                "it is read as TOML; if it is JSON, its name has to end in .json"
            } else {
                "the rest of the file is checked once it reads as TOML"
            },
        );
    }
    None
}

fn toml_table(table: &DeTable<'_>, lines: &Lines<'_>) -> Value {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            place: lines.place(key.span().start),
            node: Node {
                place: lines.place(value.span().start),
                value: toml_value(value.get_ref(), lines),
            },
        })
        .collect();
    entries.sort_by_key(|entry| entry.place);
    Value::Table(entries)
}

fn toml_value(value: &DeValue<'_>, lines: &Lines<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Other("a number out of range"), Value::Whole),
        DeValue::Float(_) => Value::Other("a fraction"),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(_) => Value::Other("a date or time"),
        DeValue::Array(items) => Value::List(
            items
                .iter()
                .map(|item| Node {
                    place: lines.place(item.span().start),
                    value: toml_value(item.get_ref(), lines),
                })
                .collect(),
        ),
        DeValue::Table(table) => toml_table(table, lines),
    }
}

/// JSON is split level by level into raw slices of the source: a slice's distance from the start is
/// its place. Each byte is read once a level, and [`MAX_DEPTH`] bounds the levels.
struct Json<'s> {
    source: &'s str,
    lines: Lines<'s>,
}

impl Json<'_> {
    fn place(&self, raw: &RawValue) -> Place {
        let start = self.source.as_ptr().addr();
        self.lines
            .place(raw.get().as_ptr().addr().saturating_sub(start))
    }

    fn node(&self, raw: &RawValue, depth: u32, problems: &mut Problems<'_>) -> Option<Node> {
        let place = self.place(raw);
        if depth > MAX_DEPTH {
            problems.error(
                place,
                ProblemCode::TooLarge,
                format!("nested more than {MAX_DEPTH} deep"),
                "no part of a policy nests like that",
            );
            return None;
        }
        let text = raw.get();
        let value = match text.bytes().next() {
            Some(b'{') => self.table(text, place, depth, problems)?,
            Some(b'[') => {
                let Items(items) = parsed(text, place, problems)?;
                Value::List(
                    items
                        .into_iter()
                        .filter_map(|item| self.node(item, depth + 1, problems))
                        .collect(),
                )
            }
            Some(b'"') => Value::Text(parsed(text, place, problems)?),
            Some(b't' | b'f') => Value::Flag(text == "true"),
            Some(b'n') => Value::Other("null"),
            _ => text.parse().map_or(
                if text.contains(['.', 'e', 'E']) {
                    Value::Other("a fraction")
                } else {
                    Value::Other("a number out of range")
                },
                Value::Whole,
            ),
        };
        Some(Node { place, value })
    }

    fn table(
        &self,
        text: &str,
        place: Place,
        depth: u32,
        problems: &mut Problems<'_>,
    ) -> Option<Value> {
        let Pairs(pairs) = parsed(text, place, problems)?;
        let mut entries: Vec<Entry> = Vec::with_capacity(pairs.len());
        let mut seen = std::collections::BTreeSet::new();
        for (key, value) in pairs {
            let place = self.place(key);
            let key: String = parsed(key.get(), place, problems)?;
            if !seen.insert(key.clone()) {
                // serde_json would keep the last one silently; TOML refuses by itself.
                problems.error(
                    place,
                    ProblemCode::Syntax,
                    format!("duplicate key {}", quote(&key)),
                    "keep one of them",
                );
                continue;
            }
            if let Some(node) = self.node(value, depth + 1, problems) {
                entries.push(Entry { key, place, node });
            }
        }
        Some(Value::Table(entries))
    }
}

/// Parses a slice that was already found to be JSON; what can still be wrong is a lone surrogate.
fn parsed<'r, T: Deserialize<'r>>(
    text: &'r str,
    place: Place,
    problems: &mut Problems<'_>,
) -> Option<T> {
    match serde_json::from_str(text) {
        Ok(value) => Some(value),
        Err(error) => {
            problems.error(
                place,
                ProblemCode::Syntax,
                why_not_json(&error),
                "write it as RFC 8259 says",
            );
            None
        }
    }
}

fn json_error(
    error: &serde_json::Error,
    source: &str,
    lines: &Lines<'_>,
    problems: &mut Problems<'_>,
) {
    // serde_json counts columns in bytes, and from 0 only where a line break was the surprise.
    let start = lines
        .starts
        .get(error.line().saturating_sub(1))
        .copied()
        .unwrap_or(source.len());
    problems.error(
        lines.place(start + error.column().saturating_sub(1)),
        ProblemCode::Syntax,
        why_not_json(error),
        if source.trim_start().starts_with(['{', '[']) || source.trim_start().is_empty() {
            "the rest of the file is checked once it reads as JSON"
        } else {
            "JSON begins with {; a policy in TOML needs a name that does not end in .json"
        },
    );
}

/// What is wrong with JSON, without its place: `serde_json` ends its messages with a position, which
/// is that in a slice, and speaks of `EOF`.
#[must_use]
pub fn why_not_json(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.rfind(" at line ").map_or(&*text, |end| &text[..end]);
    match what.strip_prefix("EOF while parsing ") {
        Some("a value") => "it ends where a value should be".to_owned(),
        Some(within) => format!("it ends within {within}"),
        None => what.to_owned(),
    }
}

/// A JSON object, in order and with duplicates.
struct Pairs<'r>(Vec<(&'r RawValue, &'r RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Pairs<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// A JSON array.
struct Items<'r>(Vec<&'r RawValue>);

impl<'de> Deserialize<'de> for Items<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Items<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Items<'de>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Items(items))
            }
        }
        deserializer.deserialize_seq(Collect)
    }
}
