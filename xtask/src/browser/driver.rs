//! One headless Chromium behind one chromedriver, gone when dropped.

use anyhow::{Context as _, Result, anyhow, bail};
use fantoccini::{Client, ClientBuilder, wd::WebDriverCompatibleCommand};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use xtask::tools;

/// What the browser is like.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Whether there is a WebGPU adapter (a software one).
    pub gpu: bool,
    /// Window width, in pixels.
    pub width: u32,
    /// Window height, in pixels.
    pub height: u32,
    /// `prefers-color-scheme: dark`.
    pub dark: bool,
    /// More flags for Chromium.
    pub flags: &'static [&'static str],
}

impl Default for Kind {
    fn default() -> Self {
        Self {
            gpu: true,
            width: 1440,
            height: 900,
            dark: false,
            flags: &[],
        }
    }
}

/// A running browser.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    process: Child,
    profile: PathBuf,
    port: u16,
    session: String,
}

impl Browser {
    /// Starts chromedriver and a browser with an empty profile.
    ///
    /// # Errors
    /// If one of them is missing or does not start.
    pub async fn start(kind: Kind) -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let missing = || {
            anyhow!(
                "Chromium or chromedriver is missing; on Debian: apt-get install -y {}",
                tools::PACKAGES
            )
        };
        let (chromium, driver) = tools::chromium().ok_or_else(missing)?;
        let name = format!(
            "lambdahat-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let profile = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&profile)?;
        let (mut process, port) = drive(&driver).await?;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(kind, &chromium, &profile)?)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await;
        let client = match client {
            Ok(client) => client,
            Err(e) => {
                let _ = process.kill();
                return Err(anyhow!("chromedriver gave no session: {e}"));
            }
        };
        let session = client.session_id().await.ok().flatten().unwrap_or_default();
        let browser = Self {
            client,
            process,
            profile,
            port,
            session,
        };
        browser.resize(kind).await?;
        Ok(browser)
    }
    /// Gives the page another size and colour scheme, as devtools would.
    ///
    /// # Errors
    /// If the browser refuses.
    pub async fn resize(&self, kind: Kind) -> Result<()> {
        let phone = kind.width < 600;
        let metrics = json!({"width": kind.width, "height": kind.height, "deviceScaleFactor": if phone { 2 } else { 1 }, "mobile": phone});
        self.cdp("Emulation.setDeviceMetricsOverride", metrics)
            .await?;
        let scheme = if kind.dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.cdp("Emulation.setEmulatedMedia", media)
            .await
            .map(|_| ())
    }
    /// A command of the Chrome DevTools protocol.
    ///
    /// # Errors
    /// If the browser refuses.
    pub async fn cdp(&self, method: &str, params: Value) -> Result<Value> {
        let body = json!({"cmd": method, "params": params});
        let answer = self
            .client
            .issue_cmd(Post {
                path: "goog/cdp/execute",
                body,
            })
            .await;
        answer.with_context(|| method.to_owned())
    }
    /// Opens an address.
    ///
    /// # Errors
    /// If it cannot be loaded.
    pub async fn goto(&self, url: &str) -> Result<()> {
        self.client.goto(url).await.with_context(|| url.to_owned())
    }
    /// Reloads the page.
    ///
    /// # Errors
    /// If it cannot be loaded.
    pub async fn reload(&self) -> Result<()> {
        self.client.refresh().await.context("reload")
    }
    /// Runs JavaScript (`return …`) in the page.
    ///
    /// # Errors
    /// If it throws.
    pub async fn eval(&self, script: &str, args: Vec<Value>) -> Result<Value> {
        self.client
            .execute(script, args)
            .await
            .map_err(|e| anyhow!("{script}: {e}"))
    }
    /// A picture of the window, or of the whole page.
    ///
    /// # Errors
    /// If it cannot be taken or written.
    pub async fn picture(&self, file: &Path, whole: bool) -> Result<()> {
        use base64::Engine as _;
        let params = json!({"format": "png", "captureBeyondViewport": whole});
        let answer = self.cdp("Page.captureScreenshot", params).await?;
        let text = answer["data"].as_str().context("no picture")?;
        let png = base64::engine::general_purpose::STANDARD.decode(text)?;
        if let Some(dir) = file.parent() {
            std::fs::create_dir_all(dir)?;
        }
        std::fs::write(file, png).with_context(|| format!("{}", file.display()))
    }
    /// Console lines since the last call: level and text. Workers of the page included.
    ///
    /// # Errors
    /// If the driver keeps no log.
    pub async fn console(&self) -> Result<Vec<(String, String)>> {
        let post = Post {
            path: "se/log",
            body: json!({"type": "browser"}),
        };
        let lines = self.client.issue_cmd(post).await.context("console")?;
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let lines = lines.as_array().map_or(&[][..], Vec::as_slice);
        Ok(lines
            .iter()
            .map(|l| (text(&l["level"]), text(&l["message"])))
            .collect())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A driver that is killed leaves its browser running, so it is told to end it first, over
        // a plain connection: a drop cannot wait for the client. Goodbyes may fail, since what
        // they would end may be gone already.
        let _ = quit(self.port, &self.session);
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// Ends a session, and with it the browser.
fn quit(port: u16, session: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let host = format!("127.0.0.1:{port}");
    write!(
        stream,
        "DELETE /session/{session} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )?;
    // Its answer comes when the browser is gone.
    stream.read(&mut [0; 64]).map(|_| ())
}

/// Starts chromedriver. It picks a port that is free for one address family and ends when another
/// process holds it for the other, so it is given several tries; what it said goes with the last.
async fn drive(driver: &Path) -> Result<(Child, u16)> {
    let mut said = anyhow!("chromedriver was not started");
    for _ in 0..TRIES {
        let mut process = Command::new(driver)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("chromedriver")?;
        match port(&mut process) {
            Ok(port) => return Ok((process, port)),
            Err(e) => said = e,
        }
        let _ = process.kill();
        let _ = process.wait();
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Err(said)
}

/// How often chromedriver is started before its refusal counts.
const TRIES: usize = 5;

/// chromedriver says on which port it listens.
fn port(process: &mut Child) -> Result<u16> {
    let out = process
        .stdout
        .take()
        .context("chromedriver has no output")?;
    let mut lines = BufReader::new(out).lines();
    let mut said = String::new();
    for line in lines.by_ref() {
        let line = line?;
        if let Some((_, rest)) = line.split_once("started successfully on port ") {
            let port = rest
                .trim_end_matches('.')
                .parse()
                .context("chromedriver’s port")?;
            // Its output must be read on, or it would stop when the pipe is full.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(port);
        }
        said.push_str(&line);
        said.push(' ');
    }
    bail!("chromedriver ended without listening: {}", said.trim_end())
}

fn capabilities(
    kind: Kind,
    chromium: &Path,
    profile: &Path,
) -> Result<fantoccini::wd::Capabilities> {
    let mut args = vec![
        "--headless=new".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        "--no-first-run".to_owned(),
        format!("--window-size={},{}", kind.width, kind.height),
        format!("--user-data-dir={}", profile.display()),
    ];
    args.extend(kind.flags.iter().map(|f| (*f).to_owned()));
    // Without it Chromium offers no software adapter to pages.
    if kind.gpu {
        args.push("--enable-unsafe-webgpu".to_owned());
    }
    let all = json!({
        "browserName": "chrome",
        "goog:chromeOptions": {"binary": chromium, "args": args},
        "goog:loggingPrefs": {"browser": "ALL"},
    });
    match all {
        Value::Object(map) => Ok(map),
        _ => bail!("capabilities are no object"),
    }
}

/// A command of chromedriver that the WebDriver standard does not know.
#[derive(Debug)]
struct Post {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Post {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!(
            "session/{}/{}",
            session.unwrap_or_default(),
            self.path
        ))
    }
    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    /// A driver that finds its port taken so many times before it listens.
    fn stubborn(name: &str, times: usize) -> Result<PathBuf> {
        let dir = std::env::temp_dir().join(format!("driver-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir)?;
        let path = dir.join("driver");
        let script = format!(
            "#!/bin/sh\necho x >> {0}/tries\nif [ $(wc -l < {0}/tries) -le {times} ]; then echo IPv6 port not available.; exit 1; fi\necho ChromeDriver was started successfully on port 4321.\n",
            dir.display()
        );
        std::fs::write(&path, script)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        Ok(path)
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_driver_whose_port_is_taken_is_started_again() -> Result<()> {
        let (mut process, port) = drive(&stubborn("twice", 2)?).await?;
        process.wait()?;
        assert_eq!(port, 4321);
        // Planted: one that never listens ends with what it said.
        let said = drive(&stubborn("never", TRIES)?).await.err();
        let said = said.context("it listened")?;
        assert!(
            format!("{said}").contains("IPv6 port not available"),
            "{said}"
        );
        Ok(())
    }
}
