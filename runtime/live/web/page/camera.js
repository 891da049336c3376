// A visitor's own camera: its pictures go to the device, and come back edited.

import { hello, notify, say, send } from "./connection.js";
import { $, chosen, visible } from "./dom.js";
import { paint } from "./picture.js";
import { tell } from "./controls.js";

const LOOK_MS = 5, GATHER_MS = 2000, QUALITY = 0.85;

export const own = {
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
      notify("Waiting for the first picture ...");
      say({ type: "camera", name: "own" });
    } catch (error) {
      const why = { NotAllowedError: "It was not allowed.", NotFoundError: "There is none." }[error.name] || error.message;
      this.fail(`The camera cannot be used. ${why}`);
    }
  },

  // The device's answer; `why` says why not.
  turned({ name, why }) {
    if (!this.stream) return;
    if (why) return this.fail(`The device takes no more cameras: ${why}.`);
    if (name !== "own") return;
    this.flying = 0;
    $("mine").hidden = false;
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
        const blob = await new Promise((done) => sheet.toBlob(done, "image/jpeg", QUALITY));
        const data = await blob.arrayBuffer();
        if (turn !== this.running) return;
        this.flying += 1;
        send(data);
      } else {
        await new Promise((done) => setTimeout(done, LOOK_MS));
      }
    }
  },

  answered(about) {
    this.flying = Math.max(0, this.flying - about.answers);
    $("picture").dataset.editMs = about.edit_ms;
  },

  async call() {  // WebRTC
    const turn = this.running, connection = (this.connection = new RTCPeerConnection({ iceServers: hello.ice }));
    this.stream.getVideoTracks().forEach((track) => connection.addTrack(track, this.stream));
    connection.ontrack = ({ track }) => this.watch(new MediaStream([track]), turn);
    connection.onconnectionstatechange = () => {
      if (connection.connectionState === "failed") this.fail("No way was found for WebRTC: WebSocket may have one.");
    };
    await connection.setLocalDescription(await connection.createOffer());
    await new Promise((done) => {  // all addresses go with the offer
      setTimeout(done, GATHER_MS);
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
    tell(text);
  },
};
