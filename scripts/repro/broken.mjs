// The JavaScript peer with one promise broken, to see that a script of chatspec repro finds it.
// Usage: BREAKS=MSG-05 JWT_SECRET=… node scripts/repro/broken.mjs
//
// The peer itself stays as it is: its store, and the library below it, are changed before it starts.
import { createRequire } from 'node:module';

const peer = new URL('../../fixtures/peers/node/', import.meta.url);
const { Server, Socket } = createRequire(new URL('server.mjs', peer))('socket.io');
const { Store } = await import(new URL('store.mjs', peer));
const Broadcast = new Server().to('anybody').constructor;

/** Puts something else in the place of a method. It gets the method that was there before its arguments. */
function change(type, name, instead) {
  const before = type.prototype[name];
  type.prototype[name] = function (...args) {
    return instead.call(this, before.bind(this), ...args);
  };
}

/** Changes who is told of an event: `whom` gets the rooms, those that are left out, and the payload. */
function tell(event, whom) {
  change(Broadcast, 'emit', function (emit, name, data) {
    if (name === event) [this.rooms, this.exceptRooms] = whom([...this.rooms], [...this.exceptRooms], data).map((rooms) => new Set(rooms));
    return emit(name, data);
  });
}

/** Changes the code of a refusal. */
function refuse(name, code, instead) {
  change(Store, name, (work, ...args) => {
    try {
      return work(...args);
    } catch (error) {
      throw error.refusal === code ? Object.assign(error, { refusal: instead }) : error;
    }
  });
}

const room = (userId) => `user:${userId}`;
const BREAKS = {
  // A session outlives the log-out.
  'AUTH-10': () => change(Store, 'signOut', () => true),

  // Nobody is refused for not being a member.
  'ROOM-02': () => {
    const creators = new Map();
    change(Store, 'createChat', (createChat, creator, ...args) => {
      const chat = createChat(creator, ...args);
      creators.set(chat.id, creator);
      return chat;
    });
    change(Store, 'chatFor', (chatFor, userId, chatId, ifUnknown) =>
      chatFor(ifUnknown === 'FORBIDDEN' ? (creators.get(chatId) ?? userId) : userId, chatId, ifUnknown));
  },

  // Who leaves a room still hears what is said there.
  'ROOM-04': () => change(Socket, 'leave', () => {}),

  // A chat that does not exist is told apart from one of others.
  'ROOM-07': () =>
    change(Store, 'chatFor', (chatFor, userId, chatId) => chatFor(userId, chatId, 'NOT_FOUND')),

  // The sender does not get the message.
  'MSG-02': () => tell('message:new', (rooms, except, { message }) => [rooms, [...except, room(message.senderId)]]),

  // A repeat is a message of its own.
  'MSG-05': () => {
    let count = 0;
    change(Store, 'send', (send, userId, fields) => send(userId, { ...fields, clientId: `${fields.clientId} ${count++}` }));
  },

  // What is sent twice at the same time is stored twice.
  'MSG-07': () => {
    const stored = new Map();
    change(Store, 'send', (send, userId, fields) => {
      const last = stored.get(fields.clientId);
      stored.set(fields.clientId, performance.now());
      const again = performance.now() - last < 5;
      return send(userId, again ? { ...fields, clientId: `${fields.clientId} ${performance.now()}` } : fields);
    });
  },

  // Characters are composed.
  'MSG-14': () => change(Store, 'send', (send, userId, fields) => send(userId, { ...fields, body: fields.body.normalize() })),

  // One message more than the limit.
  'RATE-01': () => {
    const counts = new Map();
    change(Store, 'send', function (send, userId, { chatId, clientId, body }) {
      const count = (counts.get(userId) ?? 0) + 1;
      counts.set(userId, count);
      return count === 11 ? this.post(userId, chatId, body, clientId) : send(userId, { chatId, clientId, body });
    });
  },

  // Of messages at the same time only some are counted.
  'RATE-07': () => {
    let last = 0;
    change(Store, 'send', function (send, userId, { chatId, clientId, body }) {
      const burst = performance.now() - last < 2;
      last = performance.now();
      return burst ? this.post(userId, chatId, body, clientId) : send(userId, { chatId, clientId, body });
    });
  },

  // Who types is told so.
  'TYPE-03': () => tell('typing:update', (rooms) => [rooms, []]),

  // The read cursor goes back.
  'RCPT-02': () =>
    change(Store, 'read', function (read, userId, { chatId, messageId }) {
      const chat = this.chatFor(userId, chatId, 'FORBIDDEN');
      chat.members.get(userId).lastRead = '';
      return read(userId, { chatId, messageId });
    }),

  // What one member has read counts as read by all.
  'RCPT-08': () =>
    change(Store, 'read', function (read, userId, fields) {
      const readAt = read(userId, fields);
      for (const member of this.chatFor(userId, fields.chatId, 'FORBIDDEN').members.values()) {
        member.lastRead = fields.messageId;
      }
      return readAt;
    }),

  // Another code for a message that does not exist.
  'RCPT-04': () => refuse('read', 'NOT_FOUND', 'VALIDATION_ERROR'),

  // Everybody learns who is online.
  'PRES-04': () => {
    const everybody = new Set();
    change(Store, 'signUp', async (signUp, ...args) => {
      const session = await signUp(...args);
      everybody.add(session.account.uid);
      return session;
    });
    change(Store, 'contactsOf', (_, userId) => new Set([...everybody].filter((other) => other !== userId)));
  },

  // Who is removed is not told.
  'CHAT-03': () =>
    tell('chat:update', (rooms, except, { chat }) => [rooms.filter((name) => chat.memberIds.map(room).includes(name)), except]),
};

const { BREAKS: id } = process.env;
if (!Object.hasOwn(BREAKS, id)) {
  console.error(`BREAKS: one of ${Object.keys(BREAKS).join(' ')}`);
  process.exit(2);
}
BREAKS[id]();
await import(new URL('server.mjs', peer));
