//! The fields of [`super::proto`] by name, for the text format, which has names instead of numbers.

use prost_reflect::prost_types::field_descriptor_proto::{Label, Type};
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    FileDescriptorProto,
};
use prost_reflect::{DescriptorPool, MessageDescriptor};

use super::proto::V1_TYPES;

/// A field's type.
#[derive(Clone, Copy)]
enum Kind {
    Bool,
    Float,
    Int32,
    Int64,
    Text,
    Uint32,
    Enum(&'static str),
    Message(&'static str),
}
use Kind::*;

/// Name, number, type, and whether there may be many.
type Field = (&'static str, i32, Kind, bool);

const ONE: bool = false;
const MANY: bool = true;

const MESSAGES: &[(&str, &[Field])] = &[
    (
        "Net",
        &[
            ("layers", 2, Message("V1Layer"), MANY),
            ("input", 3, Text, MANY),
            ("input_dim", 4, Int64, MANY),
            ("input_shape", 8, Message("BlobShape"), MANY),
            ("layer", 100, Message("Layer"), MANY),
        ],
    ),
    (
        "Layer",
        &[
            ("name", 1, Text, ONE),
            ("type", 2, Text, ONE),
            ("bottom", 3, Text, MANY),
            ("top", 4, Text, MANY),
            ("include", 8, Message("Rule"), MANY),
            ("exclude", 9, Message("Rule"), MANY),
            ("transform_param", 100, Message("Transform"), ONE),
            ("concat_param", 104, Message("Concat"), ONE),
            ("convolution_param", 106, Message("Convolution"), ONE),
            ("eltwise_param", 110, Message("Eltwise"), ONE),
            ("inner_product_param", 117, Message("InnerProduct"), ONE),
            ("lrn_param", 118, Message("Lrn"), ONE),
            ("pooling_param", 121, Message("Pooling"), ONE),
            ("power_param", 122, Message("Power"), ONE),
            ("relu_param", 123, Message("Relu"), ONE),
            ("softmax_param", 125, Message("Softmax"), ONE),
            ("slice_param", 126, Message("Slice"), ONE),
            ("batch_norm_param", 139, Message("BatchNorm"), ONE),
            ("elu_param", 140, Message("Elu"), ONE),
            ("bias_param", 141, Message("Bias"), ONE),
            ("scale_param", 142, Message("Scale"), ONE),
            ("input_param", 143, Message("Input"), ONE),
            ("crop_param", 144, Message("Crop"), ONE),
        ],
    ),
    (
        "V1Layer",
        &[
            ("bottom", 2, Text, MANY),
            ("top", 3, Text, MANY),
            ("name", 4, Text, ONE),
            ("type", 5, Enum("V1Type"), ONE),
            ("concat_param", 9, Message("Concat"), ONE),
            ("convolution_param", 10, Message("Convolution"), ONE),
            ("inner_product_param", 17, Message("InnerProduct"), ONE),
            ("lrn_param", 18, Message("Lrn"), ONE),
            ("pooling_param", 19, Message("Pooling"), ONE),
            ("power_param", 21, Message("Power"), ONE),
            ("eltwise_param", 24, Message("Eltwise"), ONE),
            ("relu_param", 30, Message("Relu"), ONE),
            ("slice_param", 31, Message("Slice"), ONE),
            ("include", 32, Message("Rule"), MANY),
            ("exclude", 33, Message("Rule"), MANY),
            ("transform_param", 36, Message("Transform"), ONE),
            ("softmax_param", 39, Message("Softmax"), ONE),
        ],
    ),
    ("BlobShape", &[("dim", 1, Int64, MANY)]),
    (
        "Rule",
        &[
            ("phase", 1, Enum("Phase"), ONE),
            ("min_level", 2, Int32, ONE),
            ("max_level", 3, Int32, ONE),
            ("stage", 4, Text, MANY),
            ("not_stage", 5, Text, MANY),
        ],
    ),
    ("Transform", &[("scale", 1, Float, ONE), ("mean_value", 5, Float, MANY)]),
    ("Concat", &[("concat_dim", 1, Uint32, ONE), ("axis", 2, Int32, ONE)]),
    (
        "Convolution",
        &[
            ("num_output", 1, Uint32, ONE),
            ("bias_term", 2, Bool, ONE),
            ("pad", 3, Uint32, MANY),
            ("kernel_size", 4, Uint32, MANY),
            ("group", 5, Uint32, ONE),
            ("stride", 6, Uint32, MANY),
            ("pad_h", 9, Uint32, ONE),
            ("pad_w", 10, Uint32, ONE),
            ("kernel_h", 11, Uint32, ONE),
            ("kernel_w", 12, Uint32, ONE),
            ("stride_h", 13, Uint32, ONE),
            ("stride_w", 14, Uint32, ONE),
            ("axis", 16, Int32, ONE),
            ("dilation", 18, Uint32, MANY),
        ],
    ),
    ("Eltwise", &[("operation", 1, Enum("EltwiseOp"), ONE), ("coeff", 2, Float, MANY)]),
    (
        "InnerProduct",
        &[
            ("num_output", 1, Uint32, ONE),
            ("bias_term", 2, Bool, ONE),
            ("axis", 5, Int32, ONE),
            ("transpose", 6, Bool, ONE),
        ],
    ),
    (
        "Lrn",
        &[
            ("local_size", 1, Uint32, ONE),
            ("alpha", 2, Float, ONE),
            ("beta", 3, Float, ONE),
            ("norm_region", 4, Enum("NormRegion"), ONE),
            ("k", 5, Float, ONE),
        ],
    ),
    (
        "Pooling",
        &[
            ("pool", 1, Enum("PoolMethod"), ONE),
            ("kernel_size", 2, Uint32, MANY),
            ("stride", 3, Uint32, MANY),
            ("pad", 4, Uint32, MANY),
            ("kernel_h", 5, Uint32, ONE),
            ("kernel_w", 6, Uint32, ONE),
            ("stride_h", 7, Uint32, ONE),
            ("stride_w", 8, Uint32, ONE),
            ("pad_h", 9, Uint32, ONE),
            ("pad_w", 10, Uint32, ONE),
            ("global_pooling", 12, Bool, ONE),
            ("round_mode", 13, Enum("RoundMode"), ONE),
        ],
    ),
    ("Power", &[("power", 1, Float, ONE), ("scale", 2, Float, ONE), ("shift", 3, Float, ONE)]),
    ("Relu", &[("negative_slope", 1, Float, ONE)]),
    ("Softmax", &[("axis", 2, Int32, ONE)]),
    (
        "Slice",
        &[("slice_dim", 1, Uint32, ONE), ("slice_point", 2, Uint32, MANY), ("axis", 3, Int32, ONE)],
    ),
    ("Crop", &[("axis", 1, Int32, ONE), ("offset", 2, Uint32, MANY)]),
    ("Elu", &[("alpha", 1, Float, ONE)]),
    ("Bias", &[("axis", 1, Int32, ONE), ("num_axes", 2, Int32, ONE)]),
    ("BatchNorm", &[("eps", 3, Float, ONE)]),
    ("Scale", &[("axis", 1, Int32, ONE), ("num_axes", 2, Int32, ONE), ("bias_term", 4, Bool, ONE)]),
    ("Input", &[("shape", 1, Message("BlobShape"), MANY)]),
];

/// Enumerations whose values count up from 0.
const ENUMS: &[(&str, &[&str])] = &[
    ("Phase", &["TRAIN", "TEST"]),
    ("EltwiseOp", &["PROD", "SUM", "MAX"]),
    ("NormRegion", &["ACROSS_CHANNELS", "WITHIN_CHANNEL"]),
    ("PoolMethod", &["MAX", "AVE", "STOCHASTIC"]),
    ("RoundMode", &["CEIL", "FLOOR"]),
];

/// `Net`, the message that a whole file is.
pub(super) fn net() -> MessageDescriptor {
    let types = V1_TYPES.iter().map(|(number, name, _)| (*number, *name));
    let numbered = |values: &'static [&str]| (0..).zip(values.iter().copied());
    let messages = MESSAGES.iter().map(|(name, fields)| message(name, fields));
    let enums = ENUMS.iter().map(|(name, values)| enumeration(name, numbered(values)));
    let file = FileDescriptorProto {
        name: Some("caffe.proto".into()),
        package: Some("caffe".into()),
        message_type: messages
            .chain(enums)
            .chain([enumeration("V1Type", [(0, "NONE")].into_iter().chain(types))])
            .collect(),
        ..Default::default()
    };
    let mut pool = DescriptorPool::new();
    pool.add_file_descriptor_proto(file).expect("the tables above fit together");
    pool.get_message_by_name("caffe.Net").expect("it is in the table above")
}

fn message(name: &str, fields: &[Field]) -> DescriptorProto {
    DescriptorProto {
        name: Some(name.into()),
        field: fields.iter().map(field).collect(),
        ..Default::default()
    }
}

fn field(&(name, number, kind, many): &Field) -> FieldDescriptorProto {
    let (kind, of) = match kind {
        Bool => (Type::Bool, None),
        Float => (Type::Float, None),
        Int32 => (Type::Int32, None),
        Int64 => (Type::Int64, None),
        Text => (Type::String, None),
        Uint32 => (Type::Uint32, None),
        Enum(of) => (Type::Enum, Some(format!(".caffe.{of}.Value"))),
        Message(of) => (Type::Message, Some(format!(".caffe.{of}"))),
    };
    FieldDescriptorProto {
        name: Some(name.into()),
        number: Some(number),
        label: Some(if many { Label::Repeated } else { Label::Optional }.into()),
        r#type: Some(kind.into()),
        type_name: of,
        ..Default::default()
    }
}

/// An enumeration as `name.Value`: values of one scope must differ, so each has its own.
fn enumeration<'a>(name: &str, values: impl Iterator<Item = (i32, &'a str)>) -> DescriptorProto {
    let value = |(number, value): (i32, &str)| EnumValueDescriptorProto {
        name: Some(value.into()),
        number: Some(number),
        ..Default::default()
    };
    let values = EnumDescriptorProto {
        name: Some("Value".into()),
        value: values.map(value).collect(),
        ..Default::default()
    };
    DescriptorProto { name: Some(name.into()), enum_type: vec![values], ..Default::default() }
}
