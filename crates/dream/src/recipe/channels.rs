//! Which channels of a layer a term is about: a list, or a rule that a picture makes one.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// The most channels that can be listed.
const MOST: usize = 65_536;

/// Channels of a layer, numbered from 0.
///
/// A recipe has a list as numbers, `[5, 17]`, and the others as words: `"strongest 5"`, `"average 5"`,
/// `"weakest 5"`, `"not 5 17"`. Flags write `5+17`, `average5` and `not5+17`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channels {
    /// These.
    Listed(Vec<u32>),
    /// So many whose mean on the picture is highest: those that are always on make the dullest dreams.
    Strongest(u32),
    /// So many from the middle of the order by their mean on the picture: they make striking dreams.
    Average(u32),
    /// So many whose mean on the picture is lowest: these, too.
    Weakest(u32),
    /// All but these.
    Not(Vec<u32>),
}

impl Channels {
    /// Whether it takes a picture to know which channels are meant.
    pub fn need_picture(&self) -> bool {
        matches!(self, Self::Strongest(_) | Self::Average(_) | Self::Weakest(_))
    }

    /// As flags have it: `5+17`, `average5`, `not5+17`.
    pub fn in_flags(&self) -> String {
        let (word, numbers) = self.parts();
        let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
        format!("{word}{}", numbers.join("+"))
    }

    /// What it lists or counts, and the word before that.
    fn parts(&self) -> (&'static str, Vec<u32>) {
        match self {
            Self::Listed(list) => ("", list.clone()),
            Self::Strongest(count) => ("strongest", vec![*count]),
            Self::Average(count) => ("average", vec![*count]),
            Self::Weakest(count) => ("weakest", vec![*count]),
            Self::Not(list) => ("not", list.clone()),
        }
    }
}

/// As recipes have it: `strongest 5`, `5 17`.
impl fmt::Display for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, numbers) = self.parts();
        let numbers = numbers.iter().map(u32::to_string);
        let words: Vec<String> = Some(word.to_owned())
            .into_iter()
            .filter(|word| !word.is_empty())
            .chain(numbers)
            .collect();
        f.write_str(&words.join(" "))
    }
}

/// As recipes and flags have it.
impl FromStr for Channels {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} chooses no channels: write numbers, \"strongest 5\", \"average 5\", \
                 \"weakest 5\" or \"not 5 17\""
            )
        };
        let text = text.trim();
        let digits = text.find(|letter: char| letter.is_ascii_digit()).ok_or_else(wrong)?;
        let (word, numbers) = (text[..digits].trim(), &text[digits..]);
        let numbers = numbers.split(|letter: char| "+, ".contains(letter));
        let numbers: Option<Vec<u32>> = numbers
            .filter(|number| !number.is_empty())
            .map(|number| number.parse().ok())
            .take(MOST + 1)
            .collect();
        let counts = !["", "not"].contains(&word);
        let fits = |numbers: &Vec<u32>| numbers.len() <= MOST && !(counts && numbers.contains(&0));
        let numbers = numbers.filter(fits).ok_or_else(wrong)?;
        match (word, &numbers[..]) {
            ("", _) => Ok(Self::Listed(numbers)),
            ("not", _) => Ok(Self::Not(numbers)),
            ("strongest", &[count]) => Ok(Self::Strongest(count)),
            ("average", &[count]) => Ok(Self::Average(count)),
            ("weakest", &[count]) => Ok(Self::Weakest(count)),
            _ => Err(wrong()),
        }
    }
}

impl Serialize for Channels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Listed(list) => list.serialize(serializer),
            other => serializer.collect_str(other),
        }
    }
}

impl<'de> Deserialize<'de> for Channels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Channels;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of channels, such as [5, 17], or \"strongest 5\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Channels, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Channels, E> {
                let number = u32::try_from(number);
                let wrong = |_| E::custom("channels are whole numbers from 0 up");
                number.map(|number| Channels::Listed(vec![number])).map_err(wrong)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Channels, E> {
                self.visit_i64(i64::try_from(number).unwrap_or(i64::MAX))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Channels, A::Error> {
                let mut numbers = Vec::new();
                while let Some(number) = list.next_element()? {
                    if numbers.len() == MOST {
                        return Err(de::Error::custom("more channels than any layer has"));
                    }
                    numbers.push(number);
                }
                Ok(Channels::Listed(numbers))
            }
        }

        deserializer.deserialize_any(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_read_as_recipes_and_flags_have_them() {
        for (recipe, flag, channels) in [
            ("5 17", "5+17", Channels::Listed(vec![5, 17])),
            ("139", "139", Channels::Listed(vec![139])),
            ("strongest 5", "strongest5", Channels::Strongest(5)),
            ("average 12", "average12", Channels::Average(12)),
            ("weakest 1", "weakest1", Channels::Weakest(1)),
            ("not 5 17", "not5+17", Channels::Not(vec![5, 17])),
        ] {
            assert_eq!(recipe.parse(), Ok(channels.clone()));
            assert_eq!(flag.parse(), Ok(channels.clone()));
            assert_eq!((channels.to_string(), channels.in_flags()), (recipe.into(), flag.into()));
            #[derive(Debug, PartialEq, Serialize, Deserialize)]
            struct Field {
                channels: Channels,
            }
            let field = Field { channels };
            let text = toml::to_string(&field).unwrap();
            assert_eq!(toml::from_str::<Field>(&text).unwrap(), field, "{text}");
        }
        for wrong in
            ["strongst 5", "strongest", "strongest 0", "strongest 5 6", "", "-3", "5.5", "x"]
        {
            let said = wrong.parse::<Channels>().unwrap_err();
            assert!(said.contains("chooses no channels: write numbers"), "{wrong}: {said}");
        }
    }
}
