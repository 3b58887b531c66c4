//! What is made of the table of fields: `RunConfig`, its defaults and `FIELDS`. Names are those that the table imports.

/// Defines `RunConfig`, its `Default` and `FIELDS` from groups of entries:
///
/// ```text
/// /// Help: what the field means. On screen, in `--help` and in the documentation.
/// name: Type = default, "Label on screen", { what else is known, as in `Field` };
/// ```
///
/// The order of the entries is that of the TOML file, the command line and the documentation.
macro_rules! configuration {
    ($(
        $group:ident {
            $(
                $(#[doc = $help:literal])+
                $name:ident: $Type:ty = $default:expr, $label:literal, { $($key:ident: $value:expr),* $(,)? };
            )+
        }
    )+) => {
        /// Everything that decides what a run does. As TOML it is one flat table; a field left out has its default.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct RunConfig {
            $($(
                $(#[doc = $help])+
                #[serde(skip_serializing_if = "FieldValue::is_left_out")]
                pub $name: $Type,
            )+)+
        }

        impl Default for RunConfig {
            fn default() -> Self {
                Self { $($($name: $default,)+)+ }
            }
        }

        /// Every field of [`RunConfig`], in the order of the TOML file.
        pub const FIELDS: &[Field<RunConfig>] = &[$($(
            Field {
                name: stringify!($name),
                flag: {
                    const FLAG: [u8; stringify!($name).len()] = dashed(stringify!($name));
                    text(&FLAG)
                },
                label: $label,
                help: concat!($($help),+).trim_ascii(),
                group: Group::$group,
                kind: <$Type as FieldValue>::KIND,
                is_optional: <$Type as FieldValue>::IS_OPTIONAL,
                get: |config| config.$name.print(),
                set: |config, value| {
                    config.$name = FieldValue::parse(value)?;
                    Ok(())
                },
                numbers: |config| config.$name.numbers(),
                fault: |config| config.$name.fault(),
                $($key: $value,)*
                ..Field::BLANK
            },
        )+)+];
    };
}
pub(super) use configuration;
