//! The part of Caffe's protocol buffers that running a network uses; fields not named here are
//! skipped. [`super::schema`] has the same fields for the text format.
//!
//! Layers and their weights stay bytes at first, so that they can be counted before any is unpacked.

use prost::Message;
use prost::bytes::Bytes;

/// `caffe.NetParameter`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Net {
    /// Layers of the first format.
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub(crate) layers: Vec<Bytes>,
    #[prost(string, repeated, tag = "3")]
    pub(crate) input: Vec<String>,
    #[prost(int64, repeated, packed = "false", tag = "4")]
    pub(crate) input_dim: Vec<i64>,
    #[prost(message, repeated, tag = "8")]
    pub(crate) input_shape: Vec<BlobShape>,
    /// Layers of the second format.
    #[prost(bytes = "bytes", repeated, tag = "100")]
    pub(crate) layer: Vec<Bytes>,
}

/// `caffe.LayerParameter`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Layer {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) r#type: String,
    #[prost(string, repeated, tag = "3")]
    pub(crate) bottom: Vec<String>,
    #[prost(string, repeated, tag = "4")]
    pub(crate) top: Vec<String>,
    #[prost(bytes = "bytes", repeated, tag = "7")]
    pub(crate) blobs: Vec<Bytes>,
    #[prost(message, repeated, tag = "8")]
    pub(crate) include: Vec<Rule>,
    #[prost(message, repeated, tag = "9")]
    pub(crate) exclude: Vec<Rule>,
    #[prost(message, optional, tag = "100")]
    pub(crate) transform_param: Option<Transform>,
    #[prost(message, optional, tag = "104")]
    pub(crate) concat_param: Option<Concat>,
    #[prost(message, optional, tag = "106")]
    pub(crate) convolution_param: Option<Convolution>,
    #[prost(message, optional, tag = "110")]
    pub(crate) eltwise_param: Option<Eltwise>,
    #[prost(message, optional, tag = "117")]
    pub(crate) inner_product_param: Option<InnerProduct>,
    #[prost(message, optional, tag = "118")]
    pub(crate) lrn_param: Option<Lrn>,
    #[prost(message, optional, tag = "121")]
    pub(crate) pooling_param: Option<Pooling>,
    #[prost(message, optional, tag = "122")]
    pub(crate) power_param: Option<Power>,
    #[prost(message, optional, tag = "123")]
    pub(crate) relu_param: Option<Relu>,
    #[prost(message, optional, tag = "125")]
    pub(crate) softmax_param: Option<Softmax>,
    #[prost(message, optional, tag = "126")]
    pub(crate) slice_param: Option<Slice>,
    #[prost(message, optional, tag = "139")]
    pub(crate) batch_norm_param: Option<BatchNorm>,
    #[prost(message, optional, tag = "140")]
    pub(crate) elu_param: Option<Elu>,
    #[prost(message, optional, tag = "141")]
    pub(crate) bias_param: Option<Bias>,
    #[prost(message, optional, tag = "142")]
    pub(crate) scale_param: Option<Scale>,
    #[prost(message, optional, tag = "143")]
    pub(crate) input_param: Option<Input>,
    #[prost(message, optional, tag = "144")]
    pub(crate) crop_param: Option<Crop>,
}

impl Layer {
    /// What the layer computes is called: its first output, or itself if it has none.
    pub(crate) fn output(&self) -> &str {
        self.top.first().unwrap_or(&self.name)
    }
}

/// `caffe.V1LayerParameter`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct V1Layer {
    /// A layer of a format older still.
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub(crate) layer: Option<Bytes>,
    #[prost(string, repeated, tag = "2")]
    pub(crate) bottom: Vec<String>,
    #[prost(string, repeated, tag = "3")]
    pub(crate) top: Vec<String>,
    #[prost(string, tag = "4")]
    pub(crate) name: String,
    #[prost(int32, tag = "5")]
    pub(crate) r#type: i32,
    #[prost(bytes = "bytes", repeated, tag = "6")]
    pub(crate) blobs: Vec<Bytes>,
    #[prost(message, optional, tag = "9")]
    pub(crate) concat_param: Option<Concat>,
    #[prost(message, optional, tag = "10")]
    pub(crate) convolution_param: Option<Convolution>,
    #[prost(message, optional, tag = "17")]
    pub(crate) inner_product_param: Option<InnerProduct>,
    #[prost(message, optional, tag = "18")]
    pub(crate) lrn_param: Option<Lrn>,
    #[prost(message, optional, tag = "19")]
    pub(crate) pooling_param: Option<Pooling>,
    #[prost(message, optional, tag = "21")]
    pub(crate) power_param: Option<Power>,
    #[prost(message, optional, tag = "24")]
    pub(crate) eltwise_param: Option<Eltwise>,
    #[prost(message, optional, tag = "30")]
    pub(crate) relu_param: Option<Relu>,
    #[prost(message, optional, tag = "31")]
    pub(crate) slice_param: Option<Slice>,
    #[prost(message, repeated, tag = "32")]
    pub(crate) include: Vec<Rule>,
    #[prost(message, repeated, tag = "33")]
    pub(crate) exclude: Vec<Rule>,
    #[prost(message, optional, tag = "36")]
    pub(crate) transform_param: Option<Transform>,
    #[prost(message, optional, tag = "39")]
    pub(crate) softmax_param: Option<Softmax>,
}

/// `caffe.BlobProto`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Blob {
    #[prost(int64, tag = "1")]
    pub(crate) num: i64,
    #[prost(int64, tag = "2")]
    pub(crate) channels: i64,
    #[prost(int64, tag = "3")]
    pub(crate) height: i64,
    #[prost(int64, tag = "4")]
    pub(crate) width: i64,
    #[prost(float, repeated, tag = "5")]
    pub(crate) data: Vec<f32>,
    #[prost(message, optional, tag = "7")]
    pub(crate) shape: Option<BlobShape>,
    #[prost(double, repeated, tag = "8")]
    pub(crate) double_data: Vec<f64>,
    /// The places of both where a file has them one after another: see [`super::NET`].
    #[prost(bytes = "bytes", repeated, tag = "1005")]
    pub(crate) packed: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "1008")]
    pub(crate) packed_doubles: Vec<Bytes>,
}

/// `caffe.BlobShape`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct BlobShape {
    #[prost(int64, repeated, tag = "1")]
    pub(crate) dim: Vec<i64>,
}

/// `caffe.NetStateRule`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Rule {
    /// 0 training, 1 test.
    #[prost(int32, optional, tag = "1")]
    pub(crate) phase: Option<i32>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) min_level: Option<i32>,
    #[prost(int32, optional, tag = "3")]
    pub(crate) max_level: Option<i32>,
    #[prost(string, repeated, tag = "4")]
    pub(crate) stage: Vec<String>,
    #[prost(string, repeated, tag = "5")]
    pub(crate) not_stage: Vec<String>,
}

/// `caffe.TransformationParameter`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Transform {
    #[prost(float, optional, tag = "1")]
    pub(crate) scale: Option<f32>,
    #[prost(float, repeated, packed = "false", tag = "5")]
    pub(crate) mean_value: Vec<f32>,
}

/// `caffe.ConcatParameter`
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Concat {
    #[prost(uint32, optional, tag = "1")]
    pub(crate) concat_dim: Option<u32>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) axis: Option<i32>,
}

/// `caffe.ConvolutionParameter`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Convolution {
    #[prost(uint32, tag = "1")]
    pub(crate) num_output: u32,
    #[prost(bool, optional, tag = "2")]
    pub(crate) bias_term: Option<bool>,
    #[prost(uint32, repeated, packed = "false", tag = "3")]
    pub(crate) pad: Vec<u32>,
    #[prost(uint32, repeated, packed = "false", tag = "4")]
    pub(crate) kernel_size: Vec<u32>,
    #[prost(uint32, optional, tag = "5")]
    pub(crate) group: Option<u32>,
    #[prost(uint32, repeated, packed = "false", tag = "6")]
    pub(crate) stride: Vec<u32>,
    #[prost(uint32, optional, tag = "9")]
    pub(crate) pad_h: Option<u32>,
    #[prost(uint32, optional, tag = "10")]
    pub(crate) pad_w: Option<u32>,
    #[prost(uint32, optional, tag = "11")]
    pub(crate) kernel_h: Option<u32>,
    #[prost(uint32, optional, tag = "12")]
    pub(crate) kernel_w: Option<u32>,
    #[prost(uint32, optional, tag = "13")]
    pub(crate) stride_h: Option<u32>,
    #[prost(uint32, optional, tag = "14")]
    pub(crate) stride_w: Option<u32>,
    #[prost(int32, optional, tag = "16")]
    pub(crate) axis: Option<i32>,
    #[prost(uint32, repeated, packed = "false", tag = "18")]
    pub(crate) dilation: Vec<u32>,
}

/// `caffe.EltwiseParameter`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Eltwise {
    /// 0 product, 1 sum, 2 maximum.
    #[prost(int32, optional, tag = "1")]
    pub(crate) operation: Option<i32>,
    #[prost(float, repeated, packed = "false", tag = "2")]
    pub(crate) coeff: Vec<f32>,
}

/// `caffe.InnerProductParameter`
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct InnerProduct {
    #[prost(uint32, tag = "1")]
    pub(crate) num_output: u32,
    #[prost(bool, optional, tag = "2")]
    pub(crate) bias_term: Option<bool>,
    #[prost(int32, optional, tag = "5")]
    pub(crate) axis: Option<i32>,
    #[prost(bool, tag = "6")]
    pub(crate) transpose: bool,
}

/// `caffe.LRNParameter`
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Lrn {
    #[prost(uint32, optional, tag = "1")]
    pub(crate) local_size: Option<u32>,
    #[prost(float, optional, tag = "2")]
    pub(crate) alpha: Option<f32>,
    #[prost(float, optional, tag = "3")]
    pub(crate) beta: Option<f32>,
    /// 0 across channels, 1 within each.
    #[prost(int32, tag = "4")]
    pub(crate) norm_region: i32,
    #[prost(float, optional, tag = "5")]
    pub(crate) k: Option<f32>,
}

/// `caffe.PoolingParameter`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Pooling {
    /// 0 maximum, 1 average, 2 stochastic.
    #[prost(int32, tag = "1")]
    pub(crate) pool: i32,
    #[prost(uint32, repeated, packed = "false", tag = "2")]
    pub(crate) kernel_size: Vec<u32>,
    #[prost(uint32, repeated, packed = "false", tag = "3")]
    pub(crate) stride: Vec<u32>,
    #[prost(uint32, repeated, packed = "false", tag = "4")]
    pub(crate) pad: Vec<u32>,
    #[prost(uint32, optional, tag = "5")]
    pub(crate) kernel_h: Option<u32>,
    #[prost(uint32, optional, tag = "6")]
    pub(crate) kernel_w: Option<u32>,
    #[prost(uint32, optional, tag = "7")]
    pub(crate) stride_h: Option<u32>,
    #[prost(uint32, optional, tag = "8")]
    pub(crate) stride_w: Option<u32>,
    #[prost(uint32, optional, tag = "9")]
    pub(crate) pad_h: Option<u32>,
    #[prost(uint32, optional, tag = "10")]
    pub(crate) pad_w: Option<u32>,
    #[prost(bool, tag = "12")]
    pub(crate) global_pooling: bool,
    /// 0 up, 1 down.
    #[prost(int32, tag = "13")]
    pub(crate) round_mode: i32,
}

/// `caffe.PowerParameter`
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Power {
    #[prost(float, optional, tag = "1")]
    pub(crate) power: Option<f32>,
    #[prost(float, optional, tag = "2")]
    pub(crate) scale: Option<f32>,
    #[prost(float, tag = "3")]
    pub(crate) shift: f32,
}

/// `caffe.ReLUParameter`
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Relu {
    #[prost(float, tag = "1")]
    pub(crate) negative_slope: f32,
}

/// `caffe.SoftmaxParameter`
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Softmax {
    #[prost(int32, optional, tag = "2")]
    pub(crate) axis: Option<i32>,
}

/// `caffe.SliceParameter`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Slice {
    #[prost(uint32, optional, tag = "1")]
    pub(crate) slice_dim: Option<u32>,
    #[prost(uint32, repeated, packed = "false", tag = "2")]
    pub(crate) slice_point: Vec<u32>,
    #[prost(int32, optional, tag = "3")]
    pub(crate) axis: Option<i32>,
}

/// `caffe.CropParameter`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Crop {
    #[prost(int32, optional, tag = "1")]
    pub(crate) axis: Option<i32>,
    #[prost(uint32, repeated, packed = "false", tag = "2")]
    pub(crate) offset: Vec<u32>,
}

/// `caffe.ELUParameter`
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Elu {
    #[prost(float, optional, tag = "1")]
    pub(crate) alpha: Option<f32>,
}

/// `caffe.BiasParameter`
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Bias {
    #[prost(int32, optional, tag = "1")]
    pub(crate) axis: Option<i32>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) num_axes: Option<i32>,
}

/// `caffe.BatchNormParameter`
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct BatchNorm {
    #[prost(float, optional, tag = "3")]
    pub(crate) eps: Option<f32>,
}

/// `caffe.ScaleParameter`
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Scale {
    #[prost(int32, optional, tag = "1")]
    pub(crate) axis: Option<i32>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) num_axes: Option<i32>,
    #[prost(bool, tag = "4")]
    pub(crate) bias_term: bool,
}

/// `caffe.InputParameter`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Input {
    #[prost(message, repeated, tag = "1")]
    pub(crate) shape: Vec<BlobShape>,
}

impl From<V1Layer> for Layer {
    /// The same layer in the second format.
    fn from(old: V1Layer) -> Self {
        let kind = V1_TYPES.iter().find(|(number, ..)| *number == old.r#type);
        Self {
            name: old.name,
            r#type: kind
                .map_or_else(|| format!("type {}", old.r#type), |(.., kind)| (*kind).into()),
            bottom: old.bottom,
            top: old.top,
            blobs: old.blobs,
            include: old.include,
            exclude: old.exclude,
            transform_param: old.transform_param,
            concat_param: old.concat_param,
            convolution_param: old.convolution_param,
            eltwise_param: old.eltwise_param,
            inner_product_param: old.inner_product_param,
            lrn_param: old.lrn_param,
            pooling_param: old.pooling_param,
            power_param: old.power_param,
            relu_param: old.relu_param,
            softmax_param: old.softmax_param,
            slice_param: old.slice_param,
            batch_norm_param: None,
            elu_param: None,
            bias_param: None,
            scale_param: None,
            input_param: None,
            crop_param: None,
        }
    }
}

/// `caffe.V1LayerParameter.LayerType`: the number, its name, and the second format's name.
pub(crate) const V1_TYPES: &[(i32, &str, &str)] = &[
    (1, "ACCURACY", "Accuracy"),
    (2, "BNLL", "BNLL"),
    (3, "CONCAT", "Concat"),
    (4, "CONVOLUTION", "Convolution"),
    (5, "DATA", "Data"),
    (6, "DROPOUT", "Dropout"),
    (7, "EUCLIDEAN_LOSS", "EuclideanLoss"),
    (8, "FLATTEN", "Flatten"),
    (9, "HDF5_DATA", "HDF5Data"),
    (10, "HDF5_OUTPUT", "HDF5Output"),
    (11, "IM2COL", "Im2col"),
    (12, "IMAGE_DATA", "ImageData"),
    (13, "INFOGAIN_LOSS", "InfogainLoss"),
    (14, "INNER_PRODUCT", "InnerProduct"),
    (15, "LRN", "LRN"),
    (16, "MULTINOMIAL_LOGISTIC_LOSS", "MultinomialLogisticLoss"),
    (17, "POOLING", "Pooling"),
    (18, "RELU", "ReLU"),
    (19, "SIGMOID", "Sigmoid"),
    (20, "SOFTMAX", "Softmax"),
    (21, "SOFTMAX_LOSS", "SoftmaxWithLoss"),
    (22, "SPLIT", "Split"),
    (23, "TANH", "TanH"),
    (24, "WINDOW_DATA", "WindowData"),
    (25, "ELTWISE", "Eltwise"),
    (26, "POWER", "Power"),
    (27, "SIGMOID_CROSS_ENTROPY_LOSS", "SigmoidCrossEntropyLoss"),
    (28, "HINGE_LOSS", "HingeLoss"),
    (29, "MEMORY_DATA", "MemoryData"),
    (30, "ARGMAX", "ArgMax"),
    (31, "THRESHOLD", "Threshold"),
    (32, "DUMMY_DATA", "DummyData"),
    (33, "SLICE", "Slice"),
    (34, "MVN", "MVN"),
    (35, "ABSVAL", "AbsVal"),
    (36, "SILENCE", "Silence"),
    (37, "CONTRASTIVE_LOSS", "ContrastiveLoss"),
    (38, "EXP", "Exp"),
    (39, "DECONVOLUTION", "Deconvolution"),
];
