//! The part of TensorFlow's protocol buffers that a frozen graph uses; fields not named here are
//! skipped.
//!
//! A graph's nodes stay bytes at first, so that they can be counted before any is unpacked.

use std::collections::HashMap;

use prost::Message;
use prost::bytes::Bytes;

/// `tensorflow.GraphDef`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct GraphDef {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub(crate) node: Vec<Bytes>,
}

/// `tensorflow.NodeDef`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct NodeDef {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) op: String,
    #[prost(string, repeated, tag = "3")]
    pub(crate) input: Vec<String>,
    #[prost(map = "string, message", tag = "5")]
    pub(crate) attr: HashMap<String, AttrValue>,
}

/// `tensorflow.AttrValue`; its `oneof` as separate fields.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct AttrValue {
    #[prost(message, optional, tag = "1")]
    pub(crate) list: Option<ListValue>,
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub(crate) s: Option<Bytes>,
    #[prost(int64, optional, tag = "3")]
    pub(crate) i: Option<i64>,
    #[prost(float, optional, tag = "4")]
    pub(crate) f: Option<f32>,
    #[prost(bool, optional, tag = "5")]
    pub(crate) b: Option<bool>,
    #[prost(int32, optional, tag = "6")]
    pub(crate) r#type: Option<i32>,
    #[prost(message, optional, tag = "7")]
    pub(crate) shape: Option<TensorShape>,
    #[prost(message, optional, tag = "8")]
    pub(crate) tensor: Option<TensorProto>,
}

/// `tensorflow.AttrValue.ListValue`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ListValue {
    #[prost(int64, repeated, tag = "3")]
    pub(crate) i: Vec<i64>,
}

/// `tensorflow.TensorShapeProto`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct TensorShape {
    #[prost(message, repeated, tag = "2")]
    pub(crate) dim: Vec<Dim>,
    #[prost(bool, tag = "3")]
    pub(crate) unknown_rank: bool,
}

/// `tensorflow.TensorShapeProto.Dim`
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Dim {
    /// −1 where any size fits.
    #[prost(int64, tag = "1")]
    pub(crate) size: i64,
}

/// `tensorflow.TensorProto`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct TensorProto {
    #[prost(enumeration = "DataType", tag = "1")]
    pub(crate) dtype: i32,
    #[prost(message, optional, tag = "2")]
    pub(crate) tensor_shape: Option<TensorShape>,
    #[prost(bytes = "bytes", tag = "4")]
    pub(crate) tensor_content: Bytes,
    #[prost(float, repeated, tag = "5")]
    pub(crate) float_val: Vec<f32>,
    #[prost(double, repeated, tag = "6")]
    pub(crate) double_val: Vec<f64>,
    #[prost(int32, repeated, tag = "7")]
    pub(crate) int_val: Vec<i32>,
    #[prost(int64, repeated, tag = "10")]
    pub(crate) int64_val: Vec<i64>,
    #[prost(bool, repeated, tag = "11")]
    pub(crate) bool_val: Vec<bool>,
    #[prost(int32, repeated, tag = "13")]
    pub(crate) half_val: Vec<i32>,
}

/// `tensorflow.DataType`, as far as constants of networks use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum DataType {
    Invalid = 0,
    Float = 1,
    Double = 2,
    Int32 = 3,
    Uint8 = 4,
    Int16 = 5,
    Int8 = 6,
    Int64 = 9,
    Bool = 10,
    Qint8 = 11,
    Quint8 = 12,
    Qint32 = 13,
    Bfloat16 = 14,
    Qint16 = 15,
    Quint16 = 16,
    Uint16 = 17,
    Half = 19,
}

impl DataType {
    pub(crate) fn is_float(self) -> bool {
        matches!(self, Self::Float | Self::Double | Self::Half | Self::Bfloat16)
    }

    pub(crate) fn is_integer(self) -> bool {
        !self.is_float() && self != Self::Invalid
    }

    /// The least and the greatest number of a quantised type.
    pub(crate) fn quantized(self) -> Option<[f64; 2]> {
        Some(match self {
            Self::Qint8 => [i8::MIN.into(), i8::MAX.into()],
            Self::Quint8 => [u8::MIN.into(), u8::MAX.into()],
            Self::Qint16 => [i16::MIN.into(), i16::MAX.into()],
            Self::Quint16 => [u16::MIN.into(), u16::MAX.into()],
            Self::Qint32 => [i32::MIN.into(), i32::MAX.into()],
            _ => return None,
        })
    }
}
