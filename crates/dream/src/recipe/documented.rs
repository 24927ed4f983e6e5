//! Structs whose fields' docs stay readable at run time, so that help, forms and completions say
//! what the code says.

/// A field's name and its docs.
pub(crate) type Field = (&'static str, &'static str);

/// Defines a struct of settings, each of which may be left out, and keeps its fields' docs in
/// `FIELDS`.
macro_rules! documented {
    (
        $(#[doc = $about:literal])*
        #[derive($($derive:ident),*)]
        pub struct $name:ident {
            $(
                $(#[doc = $doc:literal])*
                $(#[serde($($serde:tt)*)])?
                pub $field:ident: $type:ty,
            )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive($($derive),*)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $(
                $(#[doc = $doc])*
                $(#[serde($($serde)*)])?
                pub $field: $type,
            )*
        }

        impl $name {
            pub(crate) const FIELDS: &[$crate::recipe::documented::Field] =
                &[$((stringify!($field), concat!($($doc),*))),*];
        }
    };
}

pub(crate) use documented;
