//! Names of classes: ImageNet's 1000, and lists that stand beside a model.

/// The 1000 ImageNet classes in the order of the Caffe networks' outputs, by their first synonym
/// and the others after commas.
pub fn imagenet() -> Vec<String> {
    include_str!("../models/imagenet_classes.txt").lines().map(str::to_owned).collect()
}
