//! Weights in files beside the model.

use std::collections::HashMap;
use std::sync::Arc;

use super::model::entries;
use super::node::{Attribute, Attributes, Node};
use super::tensor::Tensor;
use crate::content::Content;
use crate::{ImportError, MAX_FILE, printable};

/// Gives the content of a file beside the model, by its path from the model's folder.
pub(crate) type Sibling<'a> = &'a mut dyn FnMut(&str) -> Result<Content, ImportError>;

/// The number that says that a tensor is in another file.
const EXTERNAL: i32 = 1;

/// The most files beside a model.
const MAX_FILES: usize = 4096;

/// The files beside a model, as far as they were needed.
pub(super) struct External<'a> {
    sibling: Sibling<'a>,
    files: Vec<(String, Content)>,
    places: HashMap<String, usize>,
    /// What nodes share, by where it is, with what it has become: so it is fetched once for all of them.
    attributes: HashMap<*const Attributes, [Arc<Attributes>; 2]>,
    tensors: HashMap<*const Attribute, [Arc<Attribute>; 2]>,
}

impl<'a> External<'a> {
    pub(super) fn new(sibling: Sibling<'a>) -> Self {
        let (places, attributes, tensors) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { sibling, files: Vec::new(), places, attributes, tensors }
    }

    /// Bytes of all files.
    pub(super) fn size(&self) -> usize {
        self.files.iter().map(|(_, content)| content.len()).sum()
    }

    pub(super) fn into_files(self) -> Vec<(String, Content)> {
        self.files
    }

    /// Gives a tensor its values, if they are in another file.
    ///
    /// # Errors
    /// A file that cannot be had, is outside the model's folder, or is too short.
    pub(super) fn fetch(&mut self, name: &str, tensor: &mut Tensor) -> Result<(), ImportError> {
        if tensor.proto.data_location != Some(EXTERNAL) {
            return Ok(());
        }
        let entries = entries(name, &tensor.proto.external_data)?;
        let wrong = |problem: String| ImportError::Layer { layer: name.into(), problem };
        let location = entries.get("location").map(String::as_str).unwrap_or_default();
        let number = |key: &str| match entries.get(key) {
            None => Ok(None),
            Some(text) => match text.trim().parse::<usize>() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(wrong(format!("the {key} of its weights is no number"))),
            },
        };
        let (offset, length) = (number("offset")?.unwrap_or(0), number("length")?);
        let file = self.file(name, location)?;
        let end = length.map_or(Some(file.len()), |length| offset.checked_add(length));
        let end = end.filter(|&end| end <= file.len() && offset <= end).ok_or_else(|| {
            wrong(format!(
                "its weights should be in `{}` up to byte {}, but that file has {} bytes; fetch both files again",
                printable(location),
                length.map_or(offset, |length| offset.saturating_add(length)),
                file.len()
            ))
        })?;
        tensor.raw = Some(file.slice(offset..end));
        Ok(())
    }

    /// As [`Self::fetch`], for all of a node's attributes.
    ///
    /// # Errors
    /// As [`Self::fetch`].
    pub(super) fn fetch_attributes(&mut self, node: &mut Node) -> Result<(), ImportError> {
        if !node.attributes.values().any(|attribute| is_outside(attribute)) {
            return Ok(());
        }
        let key = Arc::as_ptr(&node.attributes);
        if let Some([_, fetched]) = self.attributes.get(&key) {
            node.attributes = Arc::clone(fetched);
            return Ok(());
        }
        let fetched = node.attributes.iter().map(|(name, attribute)| {
            let attribute = match is_outside(attribute) {
                true => self.fetched(&node.name, attribute)?,
                false => Arc::clone(attribute),
            };
            Ok((name.clone(), attribute))
        });
        let fetched = Arc::new(fetched.collect::<Result<Attributes, ImportError>>()?);
        let before = std::mem::replace(&mut node.attributes, Arc::clone(&fetched));
        self.attributes.insert(key, [before, fetched]);
        Ok(())
    }

    /// A tensor's attribute, with its values.
    ///
    /// # Errors
    /// As [`Self::fetch`].
    fn fetched(
        &mut self,
        name: &str,
        attribute: &Arc<Attribute>,
    ) -> Result<Arc<Attribute>, ImportError> {
        let key = Arc::as_ptr(attribute);
        if let Some([_, fetched]) = self.tensors.get(&key) {
            return Ok(Arc::clone(fetched));
        }
        let mut fetched = Attribute::clone(attribute);
        fetched.tensor.as_mut().map_or(Ok(()), |tensor| self.fetch(name, tensor))?;
        let fetched = Arc::new(fetched);
        self.tensors.insert(key, [Arc::clone(attribute), Arc::clone(&fetched)]);
        Ok(fetched)
    }

    fn file(&mut self, name: &str, location: &str) -> Result<Content, ImportError> {
        if let Some(&place) = self.places.get(location) {
            return Ok(self.files[place].1.clone());
        }
        if !is_inside(location) {
            let problem = format!(
                "its weights should be in `{}`, which is not a path inside the model's folder",
                printable(location)
            );
            return Err(ImportError::Layer { layer: name.into(), problem });
        }
        if self.files.len() >= MAX_FILES {
            let problem = format!("the model has weights in more than {MAX_FILES} files");
            return Err(ImportError::Layer { layer: name.into(), problem });
        }
        let content = (self.sibling)(location)?;
        if (self.size() + content.len()) as u64 > MAX_FILE {
            return Err(ImportError::TooLarge { limit: MAX_FILE });
        }
        self.places.insert(location.to_owned(), self.files.len());
        self.files.push((location.to_owned(), content.clone()));
        Ok(content)
    }
}

fn is_outside(attribute: &Attribute) -> bool {
    attribute.tensor.as_ref().is_some_and(|tensor| tensor.proto.data_location == Some(EXTERNAL))
}

/// Whether a path leads to a file in a folder and nowhere else, on any system.
fn is_inside(path: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part != ".." && !part.contains([':', '\\', '\0']);
    let path = path.strip_prefix("./").unwrap_or(path);
    path.split('/').all(plain)
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::super::proto::{AttributeProto, StringStringEntryProto, TensorProto};
    use super::*;

    #[test]
    fn what_nodes_share_is_fetched_once_for_all() {
        let entry =
            StringStringEntryProto { key: Some("location".into()), value: Some("w".into()) };
        let t = TensorProto {
            data_location: Some(EXTERNAL),
            external_data: vec![entry.encode_to_vec().into()],
            ..TensorProto::default()
        };
        let proto = AttributeProto { t: Some(t), ..AttributeProto::default() };
        let value = Attribute::new(proto, &Vec::new().into()).unwrap();
        let mut node = Node::of("Constant", &[], "c");
        node.attributes = Arc::new(Attributes::from([("value".into(), Arc::new(value))]));
        let mut nodes = [node.clone(), node];
        let mut sibling = |_: &str| Ok(b"weights!".to_vec().into());
        let mut external = External::new(&mut sibling);
        nodes.iter_mut().for_each(|node| external.fetch_attributes(node).unwrap());
        let [first, second] = &nodes;
        assert_eq!(
            first.tensor("value").unwrap().raw.as_ref().unwrap().read().unwrap(),
            &b"weights!"[..]
        );
        assert!(Arc::ptr_eq(&first.attributes, &second.attributes));
    }

    #[test]
    fn only_paths_inside_a_folder_are_followed() {
        for path in ["model.onnx.data", "./weights", "weights/conv1", "a.b"] {
            assert!(is_inside(path), "{path}");
        }
        for path in ["", "/etc/passwd", "../x", "a/../../x", "C:x", "a\\..\\x", "a//b", "a/"] {
            assert!(!is_inside(path), "{path}");
        }
    }
}
