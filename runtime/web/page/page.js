// One visitor's page. One WebSocket carries wishes up, state and figures down, and pictures both ways.

const $ = (id) => document.getElementById(id);
const canvas = $("picture"), ink = canvas.getContext("2d", { alpha: false });
const words = (name) => name.replaceAll("_", " ");
const say = (wish) => { if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(wish)); };

let socket, hello = {}, state = null, tries = 0, split = 0.5, shown = null;

// The connection

function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => (typeof data === "string" ? hear(JSON.parse(data)) : receive(data));
  socket.onclose = ({ code, reason }) => {
    own.stop();
    link("wait", "not connected");
    const refused = code === 1008;
    notify((reason || "The connection is lost.") + (refused ? " Load the page again to go on." : " Trying again ..."));
    tries += 1;
    if (!refused) setTimeout(connect, Math.min(5000, 250 * 2 ** tries));
  };
}

function link(how, text) {
  $("link").dataset.state = how;
  $("link").textContent = text;
}

function notify(text) {
  $("notice").textContent = text;
  $("notice").hidden = !text;
}

function hear(message) {
  const { type } = message;
  if (type === "hello") {
    hello = message;
    tries = 0;
    link("good", "live");
    notify("Waiting for the first picture ...");
    $("cameras").hidden = !hello.own_camera;
    $("walk").hidden = !hello.walk;
    $("title").textContent = hello.walk ? "Directions" : "Attributes";
    say({ type: "view", name: chosen("view") });
    if (chosen("camera") === "own") own.start();
  } else if (type === "state") {
    state = message;
    showState();
  } else if (type === "figures") {
    showFigures(message);
  } else if (type === "camera") {
    own.turned(message.name);
  }
}

// Pictures

async function receive(data) {
  const length = new DataView(data).getUint32(0);
  const about = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  const bitmap = await createImageBitmap(new Blob([new Uint8Array(data, 4 + length)], { type: "image/jpeg" }));
  await visible();  // whoever does not look asks for no more
  if (about.camera === chosen("camera")) paint(bitmap, bitmap.width, bitmap.height, about.view);
  bitmap.close();
  if (about.camera === "own") own.answered(about);
  else say({ type: "shown" });
  if (about.held_s) link("wait", `camera away for ${about.held_s.toFixed(0)} s`);
  else if ($("link").dataset.state !== "good") link("good", "live");
}

function visible() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
}

function paint(picture, wide, height, view) {
  const width = view === "both" ? wide / 2 : wide;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  if (view === "both") {  // the original lies on the left, the edited one on the right
    const cut = Math.round(split * width);
    if (cut > 0) ink.drawImage(picture, 0, 0, cut, height, 0, 0, cut, height);
    if (cut < width) ink.drawImage(picture, width + cut, 0, width - cut, height, cut, 0, width - cut, height);
  } else {
    ink.drawImage(picture, 0, 0, width, height);
  }
  if (shown !== view) {
    shown = view;
    for (const id of ["divider", "line", "left", "right"]) $(id).hidden = view !== "both";
    divide();
  }
  canvas.dataset.frames = 1 + Number(canvas.dataset.frames || 0);
  if (!$("notice").hidden) notify("");
}

function divide() {
  split = $("divider").value / 100;
  $("line").style.left = `${100 * split}%`;
}

// A visitor's own camera

const own = {
  running: 0,  // grows with every start and stop: what belongs to an earlier one ends
  flying: 0,
  stream: null,
  connection: null,

  async start() {
    const turn = ++this.running;
    if (!navigator.mediaDevices) {
      return this.fail("The browser gives no camera to this page: it needs https (edgegan live --web --tls auto) or localhost.");
    }
    try {
      const video = { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 } };
      const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
      if (turn !== this.running) return stream.getTracks().forEach((track) => track.stop());
      this.stream = stream;
      stream.getVideoTracks()[0].onended = () => this.fail("The camera has gone.");
      $("camera-picture").srcObject = stream;
      await $("camera-picture").play();
      $("mine").hidden = false;
      notify("Waiting for the first picture ...");
      say({ type: "camera", name: "own" });
    } catch (error) {
      const why = { NotAllowedError: "It was not allowed.", NotFoundError: "There is none." }[error.name] || error.message;
      this.fail(`The camera cannot be used. ${why}`);
    }
  },

  turned(name) {  // the device's answer
    if (name !== "own" || !this.stream) return;
    this.flying = 0;
    (chosen("road") === "webrtc" ? this.call() : this.send(this.running)).catch((error) => this.fail(error.message));
  },

  async send(turn) {  // JPEG frames, two on the way at most
    const video = $("camera-picture"), sheet = document.createElement("canvas"), pen = sheet.getContext("2d");
    let last = -1;
    while (turn === this.running) {
      await visible();
      if (this.flying < hello.in_flight && video.currentTime !== last && video.videoWidth) {
        last = video.currentTime;
        const scale = Math.min(1, Math.sqrt(hello.most_pixels / (video.videoWidth * video.videoHeight)));
        sheet.width = Math.floor(scale * video.videoWidth);
        sheet.height = Math.floor(scale * video.videoHeight);
        pen.drawImage(video, 0, 0, sheet.width, sheet.height);
        const blob = await new Promise((done) => sheet.toBlob(done, "image/jpeg", 0.85));
        const data = await blob.arrayBuffer();
        if (turn !== this.running) return;
        this.flying += 1;
        socket.send(data);
      } else {
        await new Promise((done) => setTimeout(done, 5));
      }
    }
  },

  answered(about) {
    this.flying = Math.max(0, this.flying - 1);
    canvas.dataset.editMs = about.edit_ms;
  },

  async call() {  // WebRTC
    const turn = this.running, connection = (this.connection = new RTCPeerConnection());
    this.stream.getVideoTracks().forEach((track) => connection.addTrack(track, this.stream));
    connection.ontrack = ({ track }) => this.watch(new MediaStream([track]), turn);
    connection.onconnectionstatechange = () => {
      if (connection.connectionState === "failed") this.fail("No way was found for WebRTC: WebSocket may have one.");
    };
    await connection.setLocalDescription(await connection.createOffer());
    await new Promise((done) => {  // all addresses go with the offer
      setTimeout(done, 2000);
      connection.onicegatheringstatechange = () => connection.iceGatheringState === "complete" && done();
    });
    const body = JSON.stringify({ visitor: hello.visitor, sdp: connection.localDescription.sdp });
    const reply = await fetch("offer", { method: "POST", body });
    if (!reply.ok) throw new Error(await reply.text());
    if (turn === this.running) await connection.setRemoteDescription({ type: "answer", ...(await reply.json()) });
  },

  async watch(stream, turn) {
    const video = $("answer-picture");
    video.srcObject = stream;
    await video.play();
    const next = (work) => (video.requestVideoFrameCallback ? video.requestVideoFrameCallback(work) : requestAnimationFrame(work));
    const draw = () => {
      if (turn !== this.running) return;
      if (video.videoWidth) paint(video, video.videoWidth, video.videoHeight, chosen("view"));
      next(draw);
    };
    next(draw);
  },

  stop() {
    this.running += 1;
    this.connection?.close();
    this.stream?.getTracks().forEach((track) => track.stop());
    this.connection = this.stream = null;
    for (const id of ["camera-picture", "answer-picture"]) $(id).srcObject = null;
    $("mine").hidden = true;
  },

  fail(text) {
    this.stop();
    document.querySelector("input[name=camera][value=device]").checked = true;
    say({ type: "camera", name: "device" });
    notify(text);
  },
};

// Controls

const chosen = (name) => document.querySelector(`input[name=${name}]:checked`).value;
const moved = new Map();  // sliders pushed since the last message

function push(name, value) {
  if (!moved.size) requestAnimationFrame(() => {
    for (const [each, to] of moved) say({ type: "set", name: each, value: to });
    moved.clear();
  });
  moved.set(name, value);
}

function showState() {
  const key = JSON.stringify([state.sliders.map(({ name, low, high }) => [name, low, high]), state.groups]);
  if ($("sliders").dataset.key !== key) {
    $("sliders").dataset.key = key;
    build();
  }
  for (const slider of state.sliders) showSlider(slider);
  for (const input of document.querySelectorAll("input[name=view]")) {
    input.parentElement.hidden = !state.views.includes(input.value);
  }
  $("views").hidden = state.views.length < 2;
  $("mirror").checked = state.look.mirror;
  $("presets").replaceChildren(...state.presets.map((name) => {
    const button = document.createElement("button");
    button.textContent = `Preset ${name}`;
    button.onclick = () => say({ type: "preset", name });
    return button;
  }));
  $("presets").hidden = !state.presets.length;
}

function build() {
  const rows = new Map(state.sliders.map((slider) => [slider.name, row(slider)]));
  const boxes = [];
  for (const names of state.groups) {
    const box = document.createElement("fieldset"), legend = document.createElement("legend");
    box.className = "group";
    legend.textContent = "one of these";
    box.append(legend, ...names.filter((name) => rows.has(name)).map((name) => rows.get(name)));
    names.forEach((name) => rows.delete(name));
    boxes.push(box);
  }
  $("sliders").replaceChildren(...boxes, ...rows.values());
}

function row({ name, low, high, rest }) {
  const box = document.createElement("div"), label = document.createElement("label");
  const chip = document.createElement("button"), input = document.createElement("input");
  box.className = "row";
  box.dataset.name = name;
  label.textContent = words(name);
  label.htmlFor = input.id = `slider-${name}`;
  chip.className = "chip";
  chip.type = "button";
  chip.onclick = () => {  // round as the key goes: on, as it is
    const now = state.sliders.find((slider) => slider.name === name);
    push(name, now.value === null ? Math.min(1, high) : null);
  };
  Object.assign(input, { type: "range", min: low, max: high, step: (high - low) / 100 });
  input.oninput = () => {
    push(name, Number(input.value));
    showSlider({ name, low, high, rest, value: Number(input.value) });
  };
  box.append(label, chip, input);
  return box;
}

function showSlider({ name, low, high, rest, value }) {
  const box = document.querySelector(`.row[data-name="${CSS.escape(name)}"]`);
  const chip = box.querySelector(".chip"), input = box.querySelector("input");
  const set = value !== rest;
  const text = value === null ? "as is" : rest === null && value === 0 ? "off" : rest === null && value === 1 ? "on" : value.toFixed(2);
  if (!moved.has(name)) input.value = value ?? Math.max(low, 0);
  box.dataset.set = set;
  input.style.setProperty("--at", `${(100 * (input.value - low)) / (high - low)}%`);
  input.setAttribute("aria-valuetext", text);
  chip.textContent = text;
  chip.setAttribute("aria-label", `${words(name)}: ${text}. ${set ? "Put back" : "Turn on"}`);
}

// Figures

function showFigures(now) {
  $("model").textContent = [now.model, now.backend, now.device, now.precision].filter(Boolean).join(" · ");
  const lost = Object.values(now.dropped).reduce((sum, count) => sum + count, 0);
  const pairs = [["in", `${now.fps_in.toFixed(1)} fps`], ["out", `${now.fps_out.toFixed(1)} fps`], ["age", `${now.age_ms} ms`],
    ["dropped", lost], ["visitors", now.visitors]];
  if (canvas.dataset.editMs && chosen("camera") === "own") pairs.push(["your picture", `${canvas.dataset.editMs} ms`]);
  $("figures").replaceChildren(...pairs.map(([name, value]) => {
    const pair = document.createElement("div"), head = document.createElement("dt"), body = document.createElement("dd");
    head.textContent = name;
    body.textContent = value;
    pair.append(head, body);
    return pair;
  }));
  table("stages", now.stages, (ms) => ms.toFixed(1));
  table("drops", now.dropped, String);
}

function table(id, values, text) {
  $(id).replaceChildren(...Object.entries(values).map(([name, value]) => {
    const line = document.createElement("tr");
    for (const cell of [words(name), text(value)]) line.insertCell().textContent = cell;
    return line;
  }));
  $(id).parentElement.hidden = !Object.keys(values).length;
}

async function snapshot() {
  const reply = await fetch(`snapshot.png?visitor=${encodeURIComponent(hello.visitor)}`);
  if (!reply.ok) return notify(await reply.text());
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(await reply.blob());
  anchor.download = `edgegan-${new Date().toISOString().replace(/[-:]|\..*/g, "").replace("T", "-")}.png`;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 10000);
}

$("snapshot").onclick = snapshot;
$("full").onclick = () => (document.fullscreenElement ? document.exitFullscreen() : $("frame").requestFullscreen?.());
$("reset").onclick = () => say({ type: "reset" });
$("divider").oninput = divide;
$("mirror").onchange = () => say({ type: "mirror", value: Number($("mirror").checked) });
$("views").onchange = () => say({ type: "view", name: chosen("view") });
$("road").onchange = () => { own.stop(); own.start(); };
$("camera").onchange = () => {
  if (chosen("camera") === "own") return own.start();
  own.stop();
  say({ type: "camera", name: "device" });
};
for (const button of document.querySelectorAll("[data-key]")) button.onclick = () => say({ type: "press", name: button.dataset.key });

connect();
