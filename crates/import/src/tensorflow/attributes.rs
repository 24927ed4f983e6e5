//! A node's attributes by name and type.

use super::proto::{AttrValue, DataType, NodeDef, TensorShape};

impl NodeDef {
    pub(super) fn attr(&self, name: &str) -> Option<&AttrValue> {
        self.attr.get(name)
    }

    /// An attribute that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.attr(name)?.s.as_ref()?).ok()
    }

    /// An attribute that is a number, or the format's default for it.
    pub(super) fn float(&self, name: &str, default: f32) -> f32 {
        self.attr(name).and_then(|value| value.f).unwrap_or(default)
    }

    pub(super) fn bool(&self, name: &str, default: bool) -> bool {
        self.attr(name).and_then(|value| value.b).unwrap_or(default)
    }

    pub(super) fn integer(&self, name: &str, default: i64) -> i64 {
        self.attr(name).and_then(|value| value.i).unwrap_or(default)
    }

    /// An attribute that is a type, if it is one that this program knows.
    pub(super) fn data_type(&self, name: &str) -> Option<DataType> {
        DataType::try_from(self.attr(name)?.r#type?).ok()
    }

    /// The shape of a placeholder, unless it leaves that open.
    pub(super) fn shape(&self) -> Option<&TensorShape> {
        let shape = self.attr("shape")?.shape.as_ref()?;
        (!shape.unknown_rank && !shape.dim.is_empty()).then_some(shape)
    }

    /// An attribute that is a list of whole numbers; empty where it is not there.
    pub(super) fn integers(&self, name: &str) -> &[i64] {
        match self.attr(name).and_then(|value| value.list.as_ref()) {
            Some(list) => &list.i,
            None => &[],
        }
    }
}
