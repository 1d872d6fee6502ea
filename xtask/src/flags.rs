//! Command-line flags, without a library: xtask must compile in seconds.

use anyhow::{Context, Result, bail};

/// Arguments not yet taken.
#[derive(Debug)]
pub struct Flags(Vec<String>);

impl Flags {
    /// Wraps the arguments after the subcommand.
    #[must_use]
    pub fn new(args: Vec<String>) -> Self {
        Self(args)
    }
    /// Takes a switch such as `--dev`.
    pub fn switch(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|a| a != name);
        self.0.len() < before
    }
    /// Takes a flag with its value, `--out DIR` or `--out=DIR`.
    ///
    /// # Errors
    /// If the value is missing.
    pub fn value(&mut self, name: &str) -> Result<Option<String>> {
        if let Some(at) = self.0.iter().position(|a| a == name) {
            if at + 1 >= self.0.len() {
                bail!("{name} needs a value");
            }
            let value = self.0.remove(at + 1);
            self.0.remove(at);
            return Ok(Some(value));
        }
        let prefix = format!("{name}=");
        let Some(at) = self.0.iter().position(|a| a.starts_with(&prefix)) else {
            return Ok(None);
        };
        Ok(Some(self.0.remove(at)[prefix.len()..].to_owned()))
    }
    /// Takes a flag whose value is a number.
    ///
    /// # Errors
    /// If the value is missing or no number.
    pub fn number<T: std::str::FromStr>(&mut self, name: &str) -> Result<Option<T>> {
        let Some(text) = self.value(name)? else {
            return Ok(None);
        };
        let value = text
            .parse()
            .ok()
            .with_context(|| format!("{name} {text}: not a number"))?;
        Ok(Some(value))
    }
    /// Takes the first argument that is no flag.
    pub fn word(&mut self) -> Option<String> {
        let at = self.0.iter().position(|a| !a.starts_with("--"))?;
        Some(self.0.remove(at))
    }
    /// Ends the reading.
    ///
    /// # Errors
    /// If something nobody asked for is left.
    pub fn end(self) -> Result<()> {
        match self.0.first() {
            None => Ok(()),
            Some(rest) => bail!("unknown argument “{rest}”; run `cargo xtask help`"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn flags(line: &str) -> Flags {
        Flags::new(line.split(' ').map(String::from).collect())
    }

    #[test]
    fn flags_are_taken_in_any_order_and_leftovers_are_refused() {
        let mut f = flags("#/tms --out=d --dev --port 81");
        assert_eq!(f.number::<u16>("--port").unwrap(), Some(81));
        assert!(f.switch("--dev") && !f.switch("--dev"));
        assert_eq!(f.value("--out").unwrap().as_deref(), Some("d"));
        assert_eq!(f.word().as_deref(), Some("#/tms"));
        f.end().unwrap();
        assert!(flags("--nonsense").end().is_err());
        assert!(flags("--port x").number::<u16>("--port").is_err());
        assert!(flags("--port").value("--port").is_err());
    }
}
