//! What other systems have left behind, and what becomes of it.

use factor2::capi::factor2_import;
use serde_json::{Value, json};

use crate::support::Authenticator;

fn authenticator() -> Authenticator {
    Authenticator::new(json!({"issuer": "Example", "guard": {"store": "none"}}))
}

/// The entries with the members that a vector has, and the numbers of what was refused.
fn imported(request: Value) -> (Vec<Value>, Vec<u64>) {
    let answer = authenticator().call(factor2_import, request).ok();
    let entries = answer["entries"].as_array().unwrap().iter().map(|entry| {
        let mut entry = entry.clone();
        entry.as_object_mut().unwrap().remove("warnings");
        entry
    });
    let refused = answer["refused"].as_array().unwrap().iter();
    (
        entries.collect(),
        refused.map(|row| row["line"].as_u64().unwrap()).collect(),
    )
}

#[test]
fn vectors() {
    let vectors = include_str!("../vectors/import.json");
    let vectors: Vec<Value> = serde_json::from_str(vectors).unwrap();
    assert_eq!(vectors.len(), 8);
    for row in vectors {
        if !["otpauth", "users-file", "google-authenticator"]
            .contains(&row["format"].as_str().unwrap())
        {
            continue;
        }
        let mut request = json!({"format": row["format"], "text": row["text"]});
        if let Some(username) = row.get("username") {
            request["username"] = username.clone();
        }
        let (entries, refused) = imported(request);
        let expected = row["entries"].as_array().unwrap().iter().map(|entry| {
            let mut entry = entry.clone();
            entry
                .as_object_mut()
                .unwrap()
                .entry("issuer")
                .or_insert("".into());
            entry
        });
        assert_eq!(entries, expected.collect::<Vec<_>>());
        assert_eq!(json!(refused), row["refused_lines"]);
    }
}
