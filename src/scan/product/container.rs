//! Compose files and Kubernetes objects: environments, Secrets, and names that are sent elsewhere.

use std::collections::HashMap;

use super::{Source, environment};
use crate::scan::setting::{Also, Reading, Role, Setting, State};
use crate::scan::spelling::decode_base64;
use crate::scan::tree::{Tree, base, parent};

/// Fills `${NAME}` of a compose file in from the `.env` beside it.
pub(super) fn fill_in(source: &Source<'_>, tree: &Tree, reading: &mut Reading) {
    let file = base(source.name);
    if !file.contains("compose") {
        return;
    }
    let dotenv = format!("{}/.env", parent(source.name));
    let Some(text) = tree.text(&dotenv) else { return };
    let assigned =
        text.lines().filter(|line| !line.trim_start().starts_with('#')).filter_map(|line| line.split_once('='));
    let values: HashMap<&str, &str> =
        assigned.map(|(name, value)| (name.trim(), value.trim().trim_matches(['"', '\'']))).collect();
    for setting in reading.settings.iter_mut().filter(|it| it.value.contains('$')) {
        let mut filled = setting.value.clone();
        for (name, value) in values.iter().filter(|(name, _)| !name.is_empty()) {
            for form in [format!("${{{name}}}"), format!("${name}")] {
                if filled.contains(&form) && filled.len() < 64 << 10 {
                    filled = filled.replace(&form, value);
                    let what = format!("`{name}` is set here");
                    let at = text.find(&format!("{name}="));
                    setting.also.push(Also { file: Some(dotenv.clone()), at, what });
                }
            }
        }
        setting.value = filled;
    }
}

/// What settings of these objects mean.
pub(super) fn meaning(source: &Source<'_>, reading: &mut Reading) {
    let yaml = [".yaml", ".yml", ".json"].iter().any(|end| source.name.ends_with(end));
    if !yaml {
        return;
    }
    let named = names(&reading.settings);
    let secret =
        reading.settings.iter().any(|it| it.value == "Secret" && (it.key == "kind" || it.key.ends_with(".kind")));
    let external = reading.settings.iter().any(|it| it.value == "ExternalName");
    for setting in reading.settings.iter_mut().filter(|it| it.role.is_none()) {
        if let Some(name) = named.get(&setting.key) {
            // `{ name: SMTP_HOST, value: … }`
            setting.key = format!("{} {name}", setting.key);
            setting.role = environment::by_name(name);
            continue;
        }
        let path: Vec<&str> = setting.key.split('.').collect();
        let within = |part: &str| path.contains(&part);
        if secret && path.len() >= 2 && path.contains(&"data") {
            reveal(setting);
        } else if external && path.last() == Some(&"externalName") {
            // Whoever sends to the Service's own name sends there.
            setting.role = Some(Role::NextHop);
        } else if within("extra_hosts") || within("hostAliases") {
            setting.role = Some(Role::Redirect);
        } else if within("data") || within("stringData") {
            let leaf = path[path.len() - 1];
            setting.role = environment::by_name(leaf).or_else(|| mentions_mail(setting));
        }
    }
}

/// The value of a Secret, decoded.
fn reveal(setting: &mut Setting) {
    let encoded: String = setting.value.split_whitespace().collect();
    if let Some(decoded) = decode_base64(&encoded) {
        setting.value = decoded;
        setting.state = State::Active;
        setting.role = Some(Role::NextHop);
        setting.note = Some("decoded from base64".to_owned());
    }
}

/// A whole file as a value: it counts where its lines speak of sending mail.
fn mentions_mail(setting: &Setting) -> Option<Role> {
    let text = setting.value.to_lowercase();
    let speaks = ["relayhost", "smtp", "smarthost", "mailhub", "mailer"].iter().any(|word| text.contains(word));
    (speaks && text.contains('\n')).then_some(Role::NextHop)
}

/// For each `….value` the `….name` beside it.
fn names(settings: &[Setting]) -> HashMap<String, String> {
    let names = settings.iter().filter_map(|it| Some((it.key.strip_suffix(".name")?, &it.value)));
    names.map(|(path, name)| (format!("{path}.value"), name.clone())).collect()
}
