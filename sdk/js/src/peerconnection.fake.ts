/** For tests only: as much of an RTCPeerConnection as a link touches; descriptions are words, nothing connects by itself. */

export class FakeTransceiver {
  mid: string | null = null;
  direction = 'sendrecv';
  readonly sender;
  readonly receiver: {track: MediaStreamTrack};
  encodings: RTCRtpEncodingParameters[] = [];
  keyFrames = 0;
  /** What was sent, in order. */
  readonly replaced: (MediaStreamTrack | null)[] = [];

  constructor(kind: string, id = `remote-${kind}`) {
    this.receiver = {track: {kind, id} as MediaStreamTrack};
    this.sender = {
      track: null as MediaStreamTrack | null,
      replaceTrack: async (track: MediaStreamTrack | null) => {
        this.replaced.push(track);
        this.sender.track = track;
      },
      getParameters: () => ({encodings: this.encodings.map((encoding) => ({...encoding}))}),
      setParameters: async (
        {encodings}: {encodings: RTCRtpEncodingParameters[]},
        {encodingOptions = []}: {encodingOptions?: {keyFrame: boolean}[]} = {},
      ) => {
        this.encodings = encodings;
        if (encodingOptions.some(({keyFrame}) => keyFrame)) this.keyFrames++;
      },
      setStreams: () => {},
    };
  }
}

export class FakeDataChannel {
  readyState = 'connecting';
  protocol = '';
  binaryType = 'blob';
  bufferedAmount = 0;
  onclose: (() => void) | null = null;
  onmessage: ((event: {data: unknown}) => void) | null = null;
  /** What was sent, in order. */
  readonly sent: unknown[] = [];

  constructor(readonly label: string) {}
  send(data: unknown): void {
    this.sent.push(data);
  }
  addEventListener(): void {}
  close(): void {
    this.readyState = 'closed';
  }
}

export class FakePeerConnection extends EventTarget {
  static all: FakePeerConnection[] = [];
  signalingState = 'stable';
  connectionState = 'new';
  iceConnectionState = 'new';
  localDescription: {type: string; sdp: string} | null = null;
  remoteDescription: {type: string; sdp: string} | null = null;
  onicecandidate: ((event: {candidate: RTCIceCandidate | null}) => void) | null = null;
  onconnectionstatechange: (() => void) | null = null;
  iceGatheringState = 'new';
  closed = false;
  restarts = 0;
  readonly transceivers: FakeTransceiver[] = [];
  readonly channels: FakeDataChannel[] = [];

  constructor(public configuration: RTCConfiguration) {
    super();
    FakePeerConnection.all.push(this);
  }
  ondatachannel: ((event: {channel: RTCDataChannel}) => void) | null = null;
  createDataChannel(label: string): FakeDataChannel {
    const channel = new FakeDataChannel(label);
    this.channels.push(channel);
    return channel;
  }
  addTransceiver(
    kind: string,
    {direction = 'sendrecv', sendEncodings = []}: RTCRtpTransceiverInit = {},
  ): FakeTransceiver {
    const id =
      direction === 'recvonly' ? `place-${FakePeerConnection.all.length}-${this.transceivers.length}` : undefined;
    const transceiver = new FakeTransceiver(kind, id);
    transceiver.direction = direction;
    transceiver.encodings = sendEncodings;
    this.transceivers.push(transceiver);
    return transceiver;
  }
  getTransceivers(): FakeTransceiver[] {
    return this.transceivers;
  }
  getConfiguration(): RTCConfiguration {
    return this.configuration;
  }
  setConfiguration(configuration: RTCConfiguration): void {
    this.configuration = configuration;
  }
  restartIce(): void {
    this.restarts++;
  }
  async createOffer(): Promise<{type: string; sdp: string}> {
    return {type: 'offer', sdp: ''};
  }
  async setLocalDescription(): Promise<void> {
    const type = this.signalingState === 'have-remote-offer' ? 'answer' : 'offer';
    for (const [i, t] of this.transceivers.entries()) t.mid = String(i);
    this.localDescription = {type, sdp: `${type}-${FakePeerConnection.all.indexOf(this)}`};
    this.signalingState = type === 'offer' ? 'have-local-offer' : 'stable';
  }
  async setRemoteDescription(description: {type: string; sdp: string}): Promise<void> {
    this.remoteDescription = description;
    if (description.type === 'offer') {
      for (const kind of ['audio', 'video', 'video', 'audio']) {
        const t = new FakeTransceiver(kind);
        t.mid = String(this.transceivers.length);
        this.transceivers.push(t);
      }
    }
    this.signalingState = description.type === 'offer' ? 'have-remote-offer' : 'stable';
  }
  async addIceCandidate(): Promise<void> {}
  /** What getStats says. */
  stats = new Map<string, object>();
  async getStats(): Promise<Map<string, unknown>> {
    return new Map(this.stats);
  }
  close(): void {
    this.closed = true;
  }
  /** What the network does. */
  turn(state: string): void {
    this.connectionState = this.iceConnectionState = state;
    this.onconnectionstatechange?.();
  }
}
