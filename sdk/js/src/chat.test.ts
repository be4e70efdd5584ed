import {beforeEach, describe, expect, it} from 'vitest';
import {Chat, type ChatPort} from './chat.js';
import {Conversation} from './conversation.js';
import {People} from './people.js';
import {Requests} from './requests.js';
import {Secrecy} from './secrecy.js';
import type {Veil} from './veil.js';

interface Sent {
  type: string;
  text?: string;
}

const seat = {id: 'me', name: 'Ann', role: 'host', state: 'present', order: 1} as never;

let sent: Sent[];
let told: string[];
let waits: boolean;
let secrecy: Secrecy;
let requests: Requests;
let chat: Chat;

beforeEach(() => {
  sent = [];
  told = [];
  waits = false;
  const roster = new People(null);
  roster.replace([seat], 'me');
  secrecy = new Secrecy({} as never); // it is never opened: each test says what became of it
  requests = new Requests();
  const port: ChatPort = {
    conversation: new Conversation(),
    roster,
    secrecy,
    requests,
    send: (type, body) => sent.push({type, ...(body as object)}),
    waits: () => waits,
    emit: (event) => void told.push(event),
  };
  chat = new Chat(port);
});

/** Seals by turning words around, so that one sees it. */
function veil(): Veil {
  const turn = (text: string) => [...text].reverse().join('');
  return {
    say: (_: string, text: string) => void sent.push({type: 'sealed', text: turn(text)}),
    read: (message: {text: string}, take: (message: unknown) => void) => take({...message, text: turn(message.text)}),
  } as never;
}

const texts = () => sent.map(({type, text}) => `${type} ${text}`);

describe('words of mine', () => {
  it('leave at once from a seat', () => {
    const message = chat.write('hello');
    expect(message).toMatchObject({from: 'me', name: 'Ann', mine: true, sent: false});
    expect(texts()).toEqual(['chat hello']);
    expect(told).toEqual(['chat']);
  });

  it('wait for a seat, in order, and are said once', () => {
    waits = true;
    chat.write('one');
    chat.keep([{id: 'lost', text: 'two'}]);
    expect(sent).toEqual([]);
    chat.seated();
    chat.seated();
    expect(texts()).toEqual(['chat one', 'chat two']);
  });

  it('are dropped with the seat', () => {
    waits = true;
    chat.write('one');
    chat.left();
    chat.seated();
    expect(sent).toEqual([]);
  });

  it('are sealed as they were written, whatever another session made of them', () => {
    secrecy.key = 'key';
    secrecy.veil = veil();
    const {id} = chat.write('one');
    chat.keep([{id, text: 'what the old session sealed'}]);
    chat.seated();
    expect(texts()).toEqual(['sealed eno', 'sealed eno']);
  });

  it('never leave in the clear from a room with a key', async () => {
    secrecy.key = 'key';
    chat.write('one');
    expect(sent).toEqual([]);
    secrecy.veil = veil();
    await secrecy.ready();
    expect(texts()).toEqual(['sealed eno']);
    secrecy.veil = null;
    secrecy.unable = 'code';
    chat.write('two');
    await secrecy.ready();
    expect(texts()).toEqual(['sealed eno']);
  });
});

describe('the words of others', () => {
  const said = {type: 'chat', id: 'a', from: 'ben', name: 'Ben', text: 'olleh', at: 1} as const;
  const list = () => chat.port.conversation.list.map((m) => m.text);

  it('are opened where the room has a key', () => {
    secrecy.key = 'key';
    secrecy.veil = veil();
    chat.receive(said);
    expect(list()).toEqual(['hello']);
  });

  it('are not taken before there is what opens them', () => {
    secrecy.key = 'key';
    chat.receive(said);
    expect(list()).toEqual([]);
  });
});

describe('the past', () => {
  const kept = {id: 'b', from: 'ben', name: 'Ben', text: 'before', at: 1, seq: 4};

  it('is asked for only where there is more', async () => {
    await chat.earlier();
    expect(sent).toEqual([]);
  });

  it('is there when the page that was asked for is', async () => {
    chat.receive({type: 'history', messages: [kept], more: true});
    let there = false;
    const asked = chat.earlier().then(() => {
      there = true;
    });
    expect(sent).toEqual([{type: 'history', before: 4}]);
    chat.receive({type: 'history', messages: [], more: true}); // of its own accord
    await Promise.resolve();
    expect(there).toBe(false);
    chat.receive({type: 'history', re: 1, messages: [{...kept, id: 'a', seq: 3, at: 0}]});
    await asked;
    expect(there).toBe(true);
    expect(told).toEqual(['history', 'history', 'history']);
  });

  it('leads no further once nothing is kept', async () => {
    chat.receive({type: 'history', messages: [kept], more: true});
    chat.forget();
    await chat.earlier();
    expect(sent).toEqual([]);
  });
});
