//! Which base an adapter was made for: what `base_model_name_or_path` says, read and written.

use crate::base::slug;
use crate::bases::{BASES, Base, OwnBase};
use serde_json::Value;

/// The base that an `adapter_config.json` names; `None` where it names none.
pub fn named(adapter_config: &str) -> Option<String> {
    let json: Value = serde_json::from_str(adapter_config).ok()?;
    json["base_model_name_or_path"].as_str().map(str::trim).filter(|name| !name.is_empty()).map(String::from)
}

/// The last part of a path or of a name on the Hub: `opt-125m` of `facebook/opt-125m`.
fn last(name: &str) -> String {
    let name = name.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or_default();
    slug(name, OwnBase::NAME)
}

/// A base's name without its size, and the one that its `config.json` gives it.
fn names(base: &Base) -> Vec<String> {
    let title = base.title.rsplit_once(" · ").map_or(base.title, |(name, _)| name);
    let own = base.to_own().config;
    let json: Value = serde_json::from_str(&own).unwrap_or_default();
    let inside = json["_name_or_path"].as_str().filter(|name| !name.is_empty());
    [Some(title), Some(base.id), inside].into_iter().flatten().map(last).collect()
}

/// Whether a name means this base.
fn means(name: &str, base: &Base) -> bool {
    names(base).contains(&last(name))
}

/// The shipped base that a name means.
pub fn shipped(name: &str) -> Option<&'static Base> {
    BASES.iter().find(|base| means(name, base))
}

/// A sentence with both names where an adapter names another base than the one in use.
pub fn told(adapter_config: &str, base: &Base) -> Option<String> {
    let name = named(adapter_config).filter(|name| !means(name, base))?;
    let way = match shipped(&name) {
        Some(other) => format!("the lab ships {}", other.id),
        None => "the lab does not ship it: bring it as a checkpoint of your own".into(),
    };
    Some(format!("The adapter names “{name}” as its base, and the base in use is “{}”; {way}.", base.id))
}

/// The base to use where nobody named one.
///
/// # Errors
/// A sentence with the way on, where the adapter names none that the lab ships.
pub fn chosen(adapter_config: &str) -> Result<&'static Base, String> {
    let Some(name) = named(adapter_config) else {
        return Err("The adapter names no base: name the one it was made for by --base or --base-folder.".into());
    };
    shipped(&name).ok_or_else(|| {
        format!("The adapter names “{name}” as its base, which the lab does not ship: name it by --base-folder.")
    })
}

/// What is written as an adapter's base: where one of ours lies in this repository, what any other calls itself.
pub fn written(base: &Base) -> String {
    if !base.is_own() && base.fetched().is_none() {
        return format!("www/models/{}", base.id);
    }
    let own = base.to_own().config;
    let json: Value = serde_json::from_str(&own).unwrap_or_default();
    let inside = json["_name_or_path"].as_str().filter(|name| !name.is_empty());
    let title = base.title.rsplit_once(" · ").map_or(base.title, |(name, _)| name);
    inside.unwrap_or(title).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(name: &str) -> String {
        serde_json::json!({ "base_model_name_or_path": name }).to_string()
    }

    #[test]
    fn a_base_is_known_by_the_last_part_of_its_name() {
        for (name, base) in
            [("prose-nano", "prose-nano"), ("www/models/rules/", "rules"), (r"C:\models\prose-small", "prose-small")]
        {
            assert_eq!(chosen(&config(name)).unwrap().id, base);
            assert_eq!(told(&config(name), Base::named(base).unwrap()), None);
        }
        for base in &BASES {
            assert_eq!(shipped(&written(base)).unwrap().id, base.id);
        }
    }

    #[test]
    fn a_base_other_than_the_named_one_is_told_with_both_names() {
        let base = &BASES[0];
        let shipped = told(&config("someone/prose-micro"), base).unwrap();
        assert_eq!(
            shipped,
            "The adapter names “someone/prose-micro” as its base, and the base in use is “rules”; the lab ships prose-micro."
        );
        let other = told(&config("facebook/opt-125m"), base).unwrap();
        assert!(
            other.contains("“facebook/opt-125m”") && other.contains("“rules”") && other.contains("bring it"),
            "{other}"
        );
        // Where nothing is named, nothing is compared.
        for none in [config(""), "{}".into(), "{\"base_model_name_or_path\": null}".into(), "no JSON".into()] {
            assert_eq!(told(&none, base), None, "{none}");
            assert!(chosen(&none).unwrap_err().contains("--base"), "{none}");
        }
        assert!(chosen(&config("gpt2")).unwrap_err().contains("“gpt2”"));
    }
}
