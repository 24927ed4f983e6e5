//! From a pickle's values to tensors: the handful of PyTorch's functions that state dicts call.

use std::collections::HashMap;

use super::pickle::{Pickle, Ref, Value};
use super::tensor::{Dtype, Storage, Tensor};

/// How deep calls around a tensor may be nested: a parameter of a tensor of a storage.
const MAX_DEPTH: usize = 8;

/// Finds a storage by its type and key.
pub(super) type Storages<'a> = dyn Fn(Dtype, &str) -> Result<Storage, String> + 'a;

/// What a pickle's persistent values stand for.
pub(super) enum Outside<'a> {
    /// Storages, as `torch.save` describes them.
    Storages(&'a Storages<'a>),
    /// Tensors by their key, as in the tar archives of PyTorch's first years.
    Tensors(&'a HashMap<String, Tensor>),
}

/// The tensor that `at` is, if it is one; an error where it is one that does not fit.
pub(super) fn tensor(
    pickle: &Pickle,
    at: Ref,
    outside: &Outside<'_>,
) -> Result<Option<Tensor>, String> {
    nested(pickle, at, outside, 0)
}

fn nested(
    pickle: &Pickle,
    at: Ref,
    outside: &Outside<'_>,
    depth: usize,
) -> Result<Option<Tensor>, String> {
    if depth > MAX_DEPTH {
        return Ok(None);
    }
    if let (Value::Persistent(id), Outside::Tensors(tensors)) = (pickle.value(at), outside) {
        return Ok(pickle.key(*id).and_then(|key| tensors.get(&key).cloned()));
    }
    let Some((function, arguments)) = pickle.call(at) else { return Ok(None) };
    match (function, arguments) {
        (
            "torch._utils._rebuild_tensor_v2" | "torch._utils._rebuild_tensor",
            &[storage, offset, shape, strides, ..],
        ) => rebuilt(pickle, storage, [offset, shape, strides], None, outside),
        (
            "torch._utils._rebuild_tensor_v3",
            &[storage, offset, shape, strides, _, _, dtype, ..],
        ) => rebuilt(pickle, storage, [offset, shape, strides], Some(dtype), outside),
        (
            "torch._utils._rebuild_parameter"
            | "torch._utils._rebuild_parameter_with_state"
            | "torch.nn.parameter.Parameter"
            | "torch.nn.parameter.Buffer",
            &[data, ..],
        ) => nested(pickle, data, outside, depth + 1),
        // A class of its own around a tensor: the function that makes it, the class, the arguments.
        ("torch._tensor._rebuild_from_type_v2", &[function, _, arguments, ..]) => {
            match (pickle.global(function), pickle.elements(arguments)) {
                (
                    Some("torch._utils._rebuild_tensor_v2"),
                    Some(&[storage, offset, shape, strides, ..]),
                ) => rebuilt(pickle, storage, [offset, shape, strides], None, outside),
                (Some("torch._utils._rebuild_parameter"), Some(&[data, ..])) => {
                    nested(pickle, data, outside, depth + 1)
                }
                _ => Ok(None),
            }
        }
        _ => Ok(None),
    }
}

/// A tensor of a storage, an offset, a shape and strides.
fn rebuilt(
    pickle: &Pickle,
    storage: Ref,
    [offset, shape, strides]: [Ref; 3],
    dtype: Option<Ref>,
    outside: &Outside<'_>,
) -> Result<Option<Tensor>, String> {
    let (Value::Persistent(id), Outside::Storages(find)) = (pickle.value(storage), outside) else {
        return Ok(None);
    };
    // ("storage", its type, its key, the device, how many numbers, and in old files a view)
    let Some(&[kind, class, key, ..]) = pickle.elements(*id) else { return Ok(None) };
    if pickle.text(kind) != Some("storage") {
        return Ok(None);
    }
    let view = pickle.elements(*id).and_then(|id| id.get(5)).and_then(|&at| pickle.elements(at));
    let class = dtype.unwrap_or(class);
    let name = pickle.global(class).unwrap_or_default();
    let dtype = Dtype::of_torch(name)
        .ok_or_else(|| format!("numbers of the type `{}` are not read", crate::printable(name)))?;
    let key = pickle.key(key).ok_or("a storage has no key")?;
    let counts = |at: Ref| -> Option<Vec<usize>> {
        pickle.elements(at)?.iter().map(|&at| pickle.count(at)).collect()
    };
    let wrong = || format!("a tensor of storage `{}` has no shape", crate::printable(&key));
    let (shape, strides) = (counts(shape).ok_or_else(wrong)?, counts(strides).ok_or_else(wrong)?);
    let start = match view {
        Some(&[_, start, _]) => pickle.count(start).ok_or_else(wrong)?,
        _ => 0,
    };
    let offset = pickle.count(offset).and_then(|offset| offset.checked_add(start));
    Tensor::new(find(dtype, &key)?, offset.ok_or_else(wrong)?, shape, strides).map(Some)
}
