//! The state dict: a network's tensors by the names of its modules, whatever they were wrapped in.

use std::collections::{BTreeMap, HashSet};

use super::objects::{Outside, tensor};
use super::pickle::{Pickle, Ref, Value};
use super::tensor::{Dtype, Storage, Tensor};
use crate::tensors::Tensors;
use crate::{ImportError, printable};

/// The most tensors of a network.
const MAX_TENSORS: usize = 100_000;

/// The longest name that modules inside each other make.
const MAX_NAME: usize = 512;

/// The most modules of a sequence.
const MAX_LAYERS: usize = 10_000;

/// How many dictionaries are looked into for the state dict, and how deep an object's attributes may lie in
/// other objects.
const MAX_DEPTH: usize = 32;

/// Under which names training programs put the state dict, the likeliest first.
const WRAPPERS: [&str; 14] = [
    "state_dict",
    "model",
    "model_state_dict",
    "model_state",
    "net",
    "network",
    "params",
    "module",
    "state_dict_ema",
    "ema",
    "model_ema",
    "ema_model",
    "teacher",
    "student",
];

/// Prefixes that wrappers put before the names of a network's modules.
const PREFIXES: [&str; 8] =
    ["module.", "model.", "net.", "network.", "_orig_mod.", "backbone.", "trunk.", "visual."];

/// Tensors that are not needed: a second copy of the network, heads used only in training, and the mean and
/// deviation that the network normalises the picture with.
const ASIDE: [&str; 6] = ["attacker.", "normalizer.", "normalize.", "aux1.", "aux2.", "AuxLogits."];

/// A network's tensors.
#[derive(Clone, Debug, Default)]
pub(super) struct StateDict {
    tensors: BTreeMap<String, Tensor>,
    /// The mean and the standard deviation of colours from 0 to 1 that the network itself normalises with.
    pub(super) normalizer: Option<[[f32; 3]; 2]>,
}

/// What a pickle turned out to hold.
pub(super) enum Found {
    Tensors(BTreeMap<String, Tensor>),
    /// An object of a class, whose program is elsewhere.
    Module,
    Nothing,
}

impl StateDict {
    /// The tensors of a `.safetensors` file.
    ///
    /// # Errors
    /// A tensor that does not fit.
    pub(super) fn of_safetensors(file: &Tensors) -> Result<Self, ImportError> {
        use safetensors::Dtype as Of;
        let mut tensors = BTreeMap::new();
        for (name, stored) in file.iter() {
            let dtype = match stored.dtype {
                Of::F16 => Dtype::F16,
                Of::BF16 => Dtype::Bf16,
                Of::F32 => Dtype::F32,
                Of::F64 => Dtype::F64,
                // Of whole numbers only that they are none counts.
                _ => continue,
            };
            let content = stored.content.clone();
            let storage = Storage { dtype, content, big_endian: false };
            let layer = || printable(name);
            let tensor = Tensor::whole(storage, stored.shape.clone())
                .map_err(|problem| ImportError::Layer { layer: layer(), problem })?;
            tensors.insert(name.clone(), tensor);
        }
        Ok(Self::of(tensors))
    }

    /// The tensors by the names that the network's own program gives them.
    pub(super) fn of(tensors: BTreeMap<String, Tensor>) -> Self {
        let real = tensors.into_iter().filter(|(_, tensor)| tensor.is_real());
        let mut dict = Self { tensors: real.collect(), normalizer: None };
        dict.normalizer = dict.find_normalizer();
        loop {
            let aside = |name: &str| ASIDE.iter().any(|aside| name.starts_with(aside));
            dict.tensors.retain(|name, _| !aside(name));
            let has = |prefix: &&&str| {
                let within =
                    |name: &String| name.len() > prefix.len() && name.starts_with(**prefix);
                !dict.tensors.is_empty() && dict.tensors.keys().all(within)
            };
            let Some(prefix) = PREFIXES.iter().find(has) else { break };
            let stripped = std::mem::take(&mut dict.tensors).into_iter();
            dict.tensors =
                stripped.map(|(name, tensor)| (name[prefix.len()..].to_owned(), tensor)).collect();
        }
        // CLIP's other half reads texts.
        if dict.has("visual.layer1.0.conv1.weight") {
            let visual = std::mem::take(&mut dict.tensors).into_iter();
            let visual = visual
                .filter_map(|(name, tensor)| Some((name.strip_prefix("visual.")?.into(), tensor)));
            dict.tensors = visual.collect();
        }
        dict.tensors = dict.tensors.into_iter().map(|(name, x)| (todays(&name), x)).collect();
        dict
    }

    /// Adds a tensor.
    #[cfg(test)]
    pub(super) fn add(&mut self, name: &str, tensor: Tensor) {
        self.tensors.insert(name.to_owned(), tensor);
    }

    /// How many numbers its tensors have.
    pub(super) fn len(&self) -> usize {
        self.tensors.values().fold(0, |sum, tensor| sum.saturating_add(tensor.len()))
    }

    /// The tensor of this name.
    pub(super) fn get(&self, name: &str) -> Option<&Tensor> {
        self.tensors.get(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// The tensors of a module by the names that it has for them; nothing where there are none.
    pub(super) fn part(&self, prefix: &str) -> Option<Self> {
        let within = self.tensors.range(prefix.to_owned()..);
        let within = within.take_while(|(name, _)| name.starts_with(prefix));
        let tensors: BTreeMap<String, Tensor> =
            within.map(|(name, x)| (name[prefix.len()..].to_owned(), x.clone())).collect();
        let normalizer = self.normalizer;
        (!tensors.is_empty()).then_some(Self { tensors, normalizer })
    }

    /// The shape of the tensor of this name; nothing where there is none.
    pub(super) fn shape(&self, name: &str) -> &[usize] {
        self.get(name).map_or(&[], Tensor::shape)
    }

    /// All names, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.tensors.keys()
    }

    /// The numbers that follow `prefix` up to the next dot, in order: the places of a sequence that have
    /// weights.
    pub(super) fn indices(&self, prefix: &str) -> Vec<usize> {
        let from = self.tensors.range(prefix.to_owned()..);
        let within = from.take_while(|(name, _)| name.starts_with(prefix));
        let number = |(name, _): (&String, _)| name[prefix.len()..].split('.').next()?.parse().ok();
        let indices = within.filter_map(number).filter(|&index| index < MAX_LAYERS);
        let mut indices: Vec<usize> = indices.collect();
        indices.sort_unstable();
        indices.dedup();
        indices
    }

    fn find_normalizer(&self) -> Option<[[f32; 3]; 2]> {
        let find = |end: &str| -> Option<[f32; 3]> {
            let name = self.tensors.keys().find(|name| {
                let place = name.strip_suffix(end).unwrap_or_default();
                ["normalizer.", "normalize."].iter().any(|place_| place.ends_with(place_))
            });
            let tensor = self.get(name?).filter(|tensor| tensor.len() == 3)?;
            tensor.values().ok()?.try_into().ok()
        };
        let (mean, std) = (find("new_mean")?, find("new_std")?);
        let usable =
            mean.iter().all(|x| x.is_finite()) && std.iter().all(|x| x.is_finite() && *x > 1e-6);
        usable.then_some([mean, std])
    }
}

/// A name as today's programs write it: data parallel parts, and DenseNet's layers before 2018.
fn todays(name: &str) -> String {
    let name = name.replace("features.module.", "features.");
    match name.split_once(".denselayer") {
        Some((block, layer)) => {
            let mut layer = layer.to_owned();
            for part in ["norm", "conv"] {
                for number in ["1", "2"] {
                    let (old, new) = (format!(".{part}.{number}."), format!(".{part}{number}."));
                    layer = layer.replace(&old, &new);
                }
            }
            format!("{block}.denselayer{layer}")
        }
        None => name,
    }
}

/// The state dict in a pickle.
///
/// # Errors
/// A tensor that does not fit into its storage, or too many.
pub(super) fn find(pickle: &Pickle, outside: &Outside<'_>) -> Result<Found, String> {
    within(pickle, pickle.root, outside, &mut HashSet::new())
}

fn within(
    pickle: &Pickle,
    at: Ref,
    outside: &Outside<'_>,
    seen: &mut HashSet<Ref>,
) -> Result<Found, String> {
    if seen.len() >= MAX_DEPTH || !seen.insert(at) {
        return Ok(Found::Nothing);
    }
    if is_module(pickle, at) {
        return Ok(Found::Module);
    }
    let Value::Dict(entries) = pickle.value(at) else { return Ok(Found::Nothing) };
    for name in WRAPPERS {
        if let Some(inner) = pickle.entry(at, name) {
            match within(pickle, inner, outside, seen)? {
                Found::Nothing => {}
                found => return Ok(found),
            }
        }
    }
    let mut tensors = BTreeMap::new();
    for &(key, value) in entries {
        if let (Some(name), Some(tensor)) = (pickle.name(key), tensor(pickle, value, outside)?) {
            tensors.insert(name.to_owned(), tensor);
        }
        if tensors.len() > MAX_TENSORS {
            return Err(format!("it has more than {MAX_TENSORS} tensors"));
        }
    }
    Ok(if tensors.is_empty() { Found::Nothing } else { Found::Tensors(tensors) })
}

/// Whether a value is an object that has modules or parameters of its own.
fn is_module(pickle: &Pickle, at: Ref) -> bool {
    matches!(pickle.value(at), Value::Call(_))
        && ["_modules", "_parameters"].iter().any(|name| pickle.entry(at, name).is_some())
}

/// The tensors of a TorchScript archive, whose objects have them as attributes.
///
/// # Errors
/// As [`find`].
pub(super) fn of_script(
    pickle: &Pickle,
    outside: &Outside<'_>,
) -> Result<BTreeMap<String, Tensor>, String> {
    let mut tensors = BTreeMap::new();
    let mut left = vec![(String::new(), pickle.root, 0)];
    let mut seen = 0usize;
    while let Some((prefix, at, depth)) = left.pop() {
        for &(key, value) in pickle.entries(at).unwrap_or_default() {
            seen += 1;
            if seen > MAX_TENSORS * 10 {
                return Err("it has too many attributes".into());
            }
            let Some(key) = pickle.name(key) else { continue };
            if prefix.len().saturating_add(key.len()) > MAX_NAME {
                return Err(format!("the name of an attribute has more than {MAX_NAME} bytes"));
            }
            let name = format!("{prefix}{key}");
            if let Some(tensor) = tensor(pickle, value, outside)? {
                tensors.insert(name, tensor);
            } else if depth < MAX_DEPTH && pickle.entries(value).is_some() {
                left.push((format!("{name}."), value, depth + 1));
            }
        }
        if tensors.len() > MAX_TENSORS {
            return Err(format!("it has more than {MAX_TENSORS} tensors"));
        }
    }
    Ok(tensors)
}
