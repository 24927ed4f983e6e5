//! One term of the objective: what is to grow, and how much it counts.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::documented::documented;
use super::validate::range;
use super::{Channels, ClassId, Pick, RecipeError};

/// What is to grow: a layer, channels of it, a direction in it, or a class.
///
/// A term that names nothing but a layer climbs `½ · Σ activation²`, as Google's notebook does; one that
/// says more climbs `Σ w · activation`, unless its measure says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Term {
    /// The layer's name in the model file. Default: empty, for a class.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub layer: String,
    /// The class, by its name or number, in place of a layer. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<ClassId>,
    /// The layer's channels that are to grow. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<Channels>,
    /// The direction that is to grow: the name of one of the recipe's `vectors`, which has a number for each
    /// of the layer's channels. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vector: Option<String>,
    /// The pictures whose forms are to grow: names of the recipe's `guides`. Default: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub guides: Vec<String>,
    /// Which of the guides' positions is the direction at each of the picture's. Default: `match`.
    #[serde(skip_serializing_if = "is_default")]
    pub pick: Pick,
    /// The one place where it is to grow, right and down in shares of the picture. Default: everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<[f64; 2]>,
    /// What is made to grow. Default: `energy` for a whole layer, else `linear`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
    /// How much more those positions count whose values point in the direction already: each counts as its
    /// cosine to this power. Default: 0.
    #[serde(skip_serializing_if = "is_zero")]
    pub cosine: f32,
    /// Its share of the dream, or a factor, as `balance` says; below 0, it is calmed instead. Default: 1.
    pub weight: f32,
    /// The region it counts in. Default: `mask` where the recipe has a region of that name, else everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

fn is_default(pick: &Pick) -> bool {
    *pick == Pick::default()
}

fn is_zero(value: &f32) -> bool {
    *value == 0.0
}

impl Default for Term {
    fn default() -> Self {
        Self {
            layer: String::new(),
            class: None,
            channels: None,
            vector: None,
            guides: Vec::new(),
            pick: Pick::default(),
            at: None,
            measure: None,
            cosine: 0.0,
            weight: 1.0,
            region: None,
        }
    }
}

/// What of a layer's values is made to grow. `w` is 1 for the channels that are listed, or the vector, or the
/// class's row of weights; 1 everywhere without any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// `½ · Σ w · activation²`: what is there already grows.
    Energy,
    /// `Σ w · activation`: what is not there grows as well.
    Linear,
}

/// What the weights of several terms mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Balance {
    /// `raw` where every term is a whole layer, else `shares`.
    #[default]
    Auto,
    /// Shares of the gradient: each term's gradient counts as if its mean magnitude were 1 at the start of
    /// every octave. Gradients of layers, channels and classes differ by a factor of up to 100,000.
    Shares,
    /// Factors of each term's value.
    Raw,
}

impl Balance {
    /// Whether weights are shares in an objective of these terms.
    pub(crate) fn is_shares(self, terms: &[Term]) -> bool {
        match self {
            Self::Auto => terms.len() > 1 && !terms.iter().all(Term::is_plain),
            Self::Shares => terms.len() > 1,
            Self::Raw => false,
        }
    }
}

documented! {
    /// A direction in the space of a layer's channels.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub struct Vector {
        /// A NumPy file (`.npy`) that has the numbers, as it was named. Default: empty.
        #[serde(skip_serializing_if = "String::is_empty")]
        pub file: String,
        /// SHA-256 of that file, in hexadecimal: what decides. Default: empty, for any file.
        #[serde(skip_serializing_if = "String::is_empty")]
        pub sha256: String,
        /// A number for each of the layer's channels. Default: none, which means those of the file.
        pub values: Vec<f32>,
    }
}

impl Term {
    /// A layer that counts once.
    pub fn layer(name: impl Into<String>) -> Self {
        Self { layer: name.into(), ..Self::default() }
    }

    /// A class that counts once.
    pub fn class(class: ClassId) -> Self {
        Self { class: Some(class), ..Self::default() }
    }

    /// The same with another weight.
    pub fn weighing(self, weight: f32) -> Self {
        Self { weight, ..self }
    }

    /// The same towards these guides.
    pub fn towards(self, guides: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { guides: guides.into_iter().map(Into::into).collect(), ..self }
    }

    /// The same within a region.
    pub fn within(self, region: impl Into<String>) -> Self {
        Self { region: Some(region.into()), ..self }
    }

    /// The same with these channels of the layer alone.
    pub fn with_channels(self, channels: Channels) -> Self {
        Self { channels: Some(channels), ..self }
    }

    /// Whether it asks for no more than a whole layer's energy, wherever that counts.
    pub fn is_plain(&self) -> bool {
        let whole = Self { measure: None, ..Self::layer(&*self.layer) };
        let energy = self.measure != Some(Measure::Linear);
        energy && Self { measure: None, weight: 1.0, region: None, ..self.clone() } == whole
    }

    /// Whether both are the same but for how much they count.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Self { weight: other.weight, ..self.clone() } == *other
    }

    /// What is made to grow, the default resolved.
    pub(crate) fn measure(&self) -> Measure {
        let whole = self.class.is_none()
            && self.channels.is_none()
            && self.vector.is_none()
            && self.guides.is_empty();
        self.measure.unwrap_or(if whole { Measure::Energy } else { Measure::Linear })
    }

    /// Reads `NAME`, `NAME:CHANNELS`, or either with `@REGION`, `=WEIGHT` or both in this order behind it. A
    /// text that is a layer's name as a whole, as `is_layer` tells, is one.
    ///
    /// # Errors
    /// A name that is missing, a weight that is none, or channels of a layer that are none.
    pub fn parse(text: &str, is_layer: impl Fn(&str) -> bool) -> Result<Self, String> {
        if is_layer(text) {
            return Ok(Self::layer(text));
        }
        let (text, weight) = weighted(text)?;
        let (text, region) = if is_layer(text) { (text, None) } else { placed(text)? };
        let term = match text.rsplit_once(':') {
            _ if text.is_empty() => {
                return Err("a layer's name is missing: write NAME or NAME=WEIGHT".into());
            }
            Some((name, channels)) if !name.is_empty() && !is_layer(text) => {
                match channels.parse() {
                    Ok(channels) => Self::layer(name).with_channels(channels),
                    Err(error) if is_layer(name) => return Err(error),
                    Err(_) => Self::layer(text),
                }
            }
            _ => Self::layer(text),
        };
        Ok(Self { weight, region, ..term })
    }

    /// Reads a class's `NAME` or `NUMBER`, or either with `@REGION`, `=WEIGHT` or both in this order behind it.
    ///
    /// # Errors
    /// A name that is missing, or a weight that is none.
    pub fn parse_class(text: &str) -> Result<Self, String> {
        let (class, weight) = weighted(text)?;
        let (class, region) = placed(class)?;
        Ok(Self { weight, region, ..Self::class(class.parse()?) })
    }

    /// Whether it makes sense by itself, with these `vectors`. It is the objective's term `number`, from 1.
    pub(super) fn validate(
        &self,
        number: usize,
        vectors: &BTreeMap<String, Vector>,
    ) -> Result<(), RecipeError> {
        let wrong = |problem: String| Err(RecipeError::Term { number, problem });
        let is_class = self.class.is_some();
        let guided = !self.guides.is_empty();
        let directions = [is_class, self.channels.is_some(), self.vector.is_some(), guided];
        match (self.layer.is_empty(), is_class) {
            (true, false) => {
                return wrong("names neither a layer nor a class: give it one".into());
            }
            (false, true) => return wrong("names both a layer and a class: keep one".into()),
            _ if directions.iter().filter(|given| **given).count() < 2 => {}
            (_, true) => {
                return wrong("names a class and channels, a vector or a guide: keep one".into());
            }
            _ => {
                return wrong(
                    "names several of channels, a vector and guides: give one of them".into(),
                );
            }
        }
        if guided && self.at.is_some() {
            return wrong("names a guide and a place: give one of guides and at".into());
        }
        if self.pick == Pick::Place && self.guides.len() > 1 {
            return wrong("has several guides: pick = \"place\" takes one".into());
        }
        if guided && self.pick != Pick::Average && self.measure == Some(Measure::Energy) {
            return wrong(
                "has a guide: measure = \"energy\" with guides needs pick = \"average\"".into(),
            );
        }
        if let Some(Channels::Listed(list) | Channels::Not(list)) = &self.channels
            && list.is_empty()
        {
            return wrong("has an empty list of channels: list some, or leave the list out".into());
        }
        if let Some(name) = &self.vector {
            match vectors.get(name) {
                None => return wrong(no_vector(name, vectors)),
                // Until the file is read.
                Some(Vector { file, values, .. }) if values.is_empty() && !file.is_empty() => {}
                Some(Vector { values, .. }) if values.iter().any(|value| !value.is_finite()) => {
                    return wrong(format!(
                        "has the vector {name:?}, which holds a value that is not finite"
                    ));
                }
                Some(Vector { values, .. }) if values.iter().all(|&value| value == 0.0) => {
                    return wrong(format!("has the vector {name:?}, which holds nothing but 0"));
                }
                Some(_) => {}
            }
        }
        if let Some([x, y]) = self.at
            && ![x, y].iter().all(|share| (0.0..1.0).contains(share))
        {
            return wrong(format!(
                "has at = [{x}, {y}]: both must be from 0 up to, not including, 1"
            ));
        }
        range("objective.cosine", self.cosine, 0.0..=8.0, "0 is none, 1 and 2 are usual")?;
        let no_direction = directions.iter().all(|given| !given);
        if self.cosine > 0.0 && (self.measure() == Measure::Energy || no_direction) {
            return wrong(
                "has a cosine: cosine needs measure = \"linear\" and a channel list, vector, class \
                 or guide"
                    .into(),
            );
        }
        range("objective.weight", self.weight, -1e6..=1e6, "1 is usual")
    }
}

fn no_vector(name: &str, vectors: &BTreeMap<String, Vector>) -> String {
    let known: Vec<&str> = vectors.keys().map(String::as_str).collect();
    match known.is_empty() {
        true => format!("asks for the vector {name:?}, but the recipe has no vectors"),
        false => format!(
            "asks for a vector {name:?}, which there is not (there are: {})",
            known.join(", ")
        ),
    }
}

/// A text and the weight behind its last `=`, 1 where there is none.
fn weighted(text: &str) -> Result<(&str, f32), String> {
    let Some((name, weight)) = text.rsplit_once('=') else { return Ok((text, 1.0)) };
    match weight.trim().parse::<f32>() {
        Ok(weight) if weight.is_finite() && !name.is_empty() => Ok((name, weight)),
        _ => Err(format!("`{weight}` is not a weight: write {name}=1.5, for example")),
    }
}

/// A text and the region behind its last `@`, if there is one. What cannot be a region's name belongs to the
/// text, so that names with an `@` may have channels behind them.
fn placed(text: &str) -> Result<(&str, Option<String>), String> {
    let fits = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-');
    match text.rsplit_once('@') {
        Some((name, region)) if name.is_empty() || region.is_empty() => {
            Err(format!("`{text}` names no region: write NAME@REGION"))
        }
        Some((name, region)) if region.chars().all(fits) => Ok((name, Some(region.to_owned()))),
        _ => Ok((text, None)),
    }
}

/// As [`Term::parse`] without a network.
impl FromStr for Term {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text, |_| false)
    }
}

/// What it is called in short: `mixed4c:5+17`, or a class.
impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.class, &self.channels) {
            (Some(class), _) => write!(f, "{class}"),
            (None, Some(channels)) => write!(f, "{}:{}", self.layer, channels.in_flags()),
            (None, None) => f.write_str(&self.layer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read_as_they_are_written() {
        let read = |text: &str| text.parse::<Term>();
        let listed = |numbers: &[u32]| Channels::Listed(numbers.to_vec());
        assert_eq!(read("mixed4c"), Ok(Term::layer("mixed4c")));
        assert_eq!(read("a/b=-0.5"), Ok(Term::layer("a/b").weighing(-0.5)));
        assert_eq!(read("a=b=2"), Ok(Term::layer("a=b").weighing(2.0)));
        assert_eq!(read("a:139"), Ok(Term::layer("a").with_channels(listed(&[139]))));
        let mixed = Term::layer("a:b").with_channels(listed(&[5, 17])).weighing(0.5);
        assert_eq!(read("a:b:5+17=0.5"), Ok(mixed.clone()));
        let average = Term::layer("a").with_channels(Channels::Average(5));
        assert_eq!(read("a:average5"), Ok(average));
        assert_eq!(read("onnx::Conv_1"), Ok(Term::layer("onnx::Conv_1")));
        let mixed = Term { region: Some("sky".into()), ..mixed };
        assert_eq!(read("a:b:5+17@sky=0.5"), Ok(mixed));
        assert_eq!(read("a@sky"), Ok(Term::layer("a").within("sky")));
        let class = Term::parse_class("tabby cat@left=2").unwrap();
        assert_eq!((class.region.as_deref(), class.weight), (Some("left"), 2.0));
        for wrong in ["", "a=", "a=b", "a=inf", "=1", "a@", "@sky"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_text_that_is_a_layers_name_is_one() {
        let names = ["a", "a:0", "b=1", "c@d"];
        let read = |text: &str| Term::parse(text, |name| names.contains(&name));
        let mixed = Term::layer("c@d").with_channels(Channels::Listed(vec![5, 17]));
        assert_eq!(read("c@d:5+17=2"), Ok(mixed.clone().weighing(2.0)));
        assert_eq!(read("c@d:5+17@sky"), Ok(mixed.within("sky")));
        assert_eq!(read("c@d@sky"), Ok(Term::layer("c@d").within("sky")));
        assert_eq!(read("a:0"), Ok(Term::layer("a:0")));
        assert_eq!(read("a:0=2"), Ok(Term::layer("a:0").weighing(2.0)));
        assert_eq!(read("b=1"), Ok(Term::layer("b=1")));
        assert_eq!(read("a:1"), Ok(Term::layer("a").with_channels(Channels::Listed(vec![1]))));
        assert!(read("a:strongst5").unwrap_err().contains("chooses no channels"));
    }

    #[test]
    fn classes_have_names_and_numbers() {
        let read = Term::parse_class;
        assert_eq!(read("281"), Ok(Term::class(ClassId::Number(281))));
        let castle = Term::class(ClassId::Name("castle".into()));
        assert_eq!(read("castle=-2"), Ok(castle.weighing(-2.0)));
        assert!(read("").is_err() && read("=2").is_err() && read("castle=big").is_err());
    }

    #[test]
    fn only_whole_layers_are_plain() {
        let plain = Term::layer("a").weighing(0.5);
        assert!(plain.is_plain());
        assert!(Term { measure: Some(Measure::Energy), ..plain.clone() }.is_plain());
        for other in [
            Term { measure: Some(Measure::Linear), ..plain.clone() },
            Term { at: Some([0.5, 0.5]), ..plain.clone() },
            plain.clone().with_channels(Channels::Strongest(1)),
            Term::class(ClassId::Number(1)),
        ] {
            assert!(!other.is_plain(), "{other:?}");
            assert!(Balance::Auto.is_shares(&[plain.clone(), other.clone()]));
            assert!(!Balance::Auto.is_shares(&[other]));
        }
        assert!(!Balance::Auto.is_shares(&[plain.clone(), plain.clone()]));
        assert!(Balance::Shares.is_shares(&[plain.clone(), plain]));
    }
}
