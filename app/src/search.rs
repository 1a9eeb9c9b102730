//! Search: what somebody types, and how well it is found in what has a name.
//!
//! The one place for it: the server searches whole organisations with it, and the browser what it has on its page, so
//! both answer alike. Deliberately absent: anything fuzzy. Every word has to be found; what is found better stands
//! first; capitals and accents are the same as none.

mod narrow;

use crate::browser::lower_case;

pub use narrow::narrow;

/// More words than these nobody looks for: what was pasted by accident finds nothing, instead of costing much.
pub const WORDS_MAX: usize = 12;

/// The word is the whole account number. Above all that the other words can give together.
const EXACT_ID: u8 = 100;
const WHOLE_NAME: u8 = 8;
const START_OF_NAME: u8 = 6;
const START_OF_A_PART: u8 = 4;
const INSIDE_NAME: u8 = 3;
const START_ABOUT: u8 = 2;
const INSIDE_ABOUT: u8 = 1;

const _: () = assert!((WORDS_MAX - 1) * (WHOLE_NAME as usize) < EXACT_ID as usize);

/// What words are looked for in, made ready once: folding costs more than looking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    id: String,
    name: String,
    about: String,
}

impl Text {
    /// An account: its number, its name, and where it is and how it is tagged.
    #[must_use]
    pub fn of_account<'a>(
        id: &str,
        name: &str,
        ou_path: &'a str,
        tags: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let about = std::iter::once(ou_path).chain(tags);
        Self::new(id, name, about)
    }

    /// A permission set.
    #[must_use]
    pub fn of_set(name: &str, description: &str) -> Self {
        Self::new("", name, [description])
    }

    /// A group, with what it gives: permission set, account's name and account's number, each.
    #[must_use]
    pub fn of_group<'a>(id: &str, name: &str, gives: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(id, name, std::iter::once("group").chain(gives))
    }

    fn new<'a>(id: &str, name: &str, about: impl IntoIterator<Item = &'a str>) -> Self {
        let about: Vec<&str> = about.into_iter().collect();
        Self {
            id: fold(id),
            name: fold(name),
            // No word holds a blank, so none is found across two of these.
            about: fold(&about.join(" ")),
        }
    }

    fn level(&self, word: &str) -> u8 {
        if !self.id.is_empty() && self.id == word {
            return EXACT_ID;
        }
        let of_name = match place(&self.name, word) {
            Some(Place::Start) if self.name.len() == word.len() => WHOLE_NAME,
            Some(Place::Start) => START_OF_NAME,
            Some(Place::Part) => START_OF_A_PART,
            Some(Place::Inside) => INSIDE_NAME,
            None => 0,
        };
        let of_id = match place(&self.id, word) {
            Some(Place::Start) => START_OF_NAME,
            Some(_) => INSIDE_NAME,
            None => 0,
        };
        match of_name.max(of_id) {
            0 => match place(&self.about, word) {
                Some(Place::Start | Place::Part) => START_ABOUT,
                Some(Place::Inside) => INSIDE_ABOUT,
                None => 0,
            },
            found => found,
        }
    }
}

enum Place {
    Start,
    Part,
    Inside,
}

/// The best place of a word in a text.
fn place(text: &str, word: &str) -> Option<Place> {
    let mut inside = false;
    for (at, _) in text.match_indices(word) {
        if at == 0 {
            return Some(Place::Start);
        }
        if !text[..at].ends_with(char::is_alphanumeric) {
            return Some(Place::Part);
        }
        inside = true;
    }
    inside.then_some(Place::Inside)
}

/// How well each word was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Found([u8; WORDS_MAX]);

impl Found {
    /// Each word where it was found better.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let mut better = self;
        for (level, other) in better.0.iter_mut().zip(other.0) {
            *level = (*level).max(other);
        }
        better
    }
}

/// What somebody looks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    words: Vec<String>,
    are_too_many: bool,
}

impl Words {
    /// The words of what was typed, each once.
    #[must_use]
    pub fn of(typed: &str) -> Self {
        let mut words: Vec<String> = Vec::new();
        for word in fold(typed).split_whitespace() {
            let word = account_number(word).unwrap_or_else(|| word.to_owned());
            if !words.contains(&word) {
                words.push(word);
            }
        }
        let are_too_many = words.len() > WORDS_MAX;
        words.truncate(WORDS_MAX);
        Self {
            words,
            are_too_many,
        }
    }

    /// Nothing is looked for, so everything is found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// How well each word is found in this.
    #[must_use]
    pub fn found(&self, text: &Text) -> Found {
        let mut found = Found::default();
        for (level, word) in found.0.iter_mut().zip(&self.words) {
            *level = text.level(word);
        }
        found
    }

    /// How well all of it was found, more being better; `None`: some word was not.
    #[must_use]
    pub fn score(&self, found: Found) -> Option<u32> {
        let levels = found.0.get(..self.words.len())?;
        if self.are_too_many || levels.contains(&0) {
            return None;
        }
        Some(levels.iter().map(|level| u32::from(*level)).sum())
    }
}

/// `1111-2222-3333` as accounts are numbered.
fn account_number(word: &str) -> Option<String> {
    let digits: String = word.chars().filter(|one| *one != '-').collect();
    let is_one = digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_one.then_some(digits)
}

/// In lower case and without accents: whoever types `zurich` means `Zürich` too.
fn fold(text: &str) -> String {
    let lower = lower_case(text);
    if lower.is_ascii() {
        return lower;
    }
    let mut folded = String::with_capacity(lower.len());
    for letter in lower.chars() {
        match letter {
            // Accents that stand behind their letter.
            '\u{300}'..='\u{36f}' => {}
            letter => match plain(letter) {
                "" => folded.push(letter),
                plain => folded.push_str(plain),
            },
        }
    }
    folded
}

/// The letters of European names without what they wear; empty for every other. Not Unicode's tables: those would be
/// a noticeable part of what a browser has to fetch.
const fn plain(letter: char) -> &'static str {
    match letter {
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' => "d",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
        'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
