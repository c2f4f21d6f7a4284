# frozen_string_literal: true

# SPDX-License-Identifier: MIT
# The testee for Ruby: reads a call per line, makes it, prints what came back. A failure, which Ruby
# raises, is printed as the protocol says it: nil, the words, the partial result. It must never
# improve, hide or judge an answer: that is the driver's work.

require "polysock"

LIBRARIES = { "mod" => Polysock, "dns" => Polysock::DNS }.freeze
# Constants have other names in Ruby, and so have the classes of misuse in the protocol.
NAMES = { "_VERSION" => :VERSION, "_SETSIZE" => :SETSIZE, "_SOCKETINVALID" => :SOCKETINVALID }.freeze
# An array from these is several values; from any other it is a list.
SEVERAL = %w[getpeername getsockname getstats gettimeout select toip tohostname getnameinfo].freeze
SLOTS = {} # rubocop:disable Style/MutableConstant

PRINTING = Mutex.new
def say(*words)
  PRINTING.synchronize { $stdout.write("#{words.join(' ')}\n") }
end

# Values: a letter for the type, then the value; text has its odd bytes as %XX.

WRITTEN = (0..255).map { |byte| byte.between?(33, 126) && byte != 37 ? byte.chr : format("%%%02X", byte) }

def escape(data) = data.each_byte.map { |byte| WRITTEN[byte] }.join
def unescape(body) = body.b.gsub(/%(\h\h)/) { Regexp.last_match(1).hex.chr }

def number(value)
  return value.nan? ? "dnan" : "d#{value.positive? ? '' : '-'}inf" unless value.finite?

  "d#{value}"
end

def object(value, into)
  name, = SLOTS.find { |_, known| known.equal?(value) }
  SLOTS[into] = value if name.nil? && into != "-"
  "o#{name || into}"
end

def encode(value, into = "-")
  case value
  when nil then "n"
  when true then "t"
  when false then "f"
  when Integer then "i#{value}"
  when Float then number(value)
  when String then (value.encoding == Encoding::BINARY ? "b" : "s") + escape(value)
  when Array then ["[", *value.map { |item| encode(item, into) }, "]"].join(" ")
  when Hash then ["{", *value.map { |key, item| "s#{key} #{encode(item, into)}" }, "}"].join(" ")
  else object(value, into)
  end
end

def list(words)
  items = []
  while (word = words.shift) != "]" do items << decode(word, words) end
  items
end

def table(words)
  fields = {}
  while (word = words.shift) != "}" do fields[decode(word, words).to_sym] = decode(words.shift, words) end
  fields
end

def decode(word, words)
  body = word[1..]
  case word[0]
  when "t" then true
  when "f" then false
  when "i" then Integer(body, 10)
  when "d" then { "inf" => Float::INFINITY, "-inf" => -Float::INFINITY, "nan" => Float::NAN }
    .fetch(body) { body.to_f }
  when "s" then unescape(body).force_encoding("UTF-8")
  when "b" then unescape(body)
  when "o" then SLOTS[body]
  when "[" then list(words)
  when "{" then table(words)
  end
end

# Calls.

Foreign = Struct.new(:getfd) { def ==(other) = equal?(other) }
class Buffering < Foreign
  attr_accessor :dirty
end

# What the scenarios ask of the testee itself.
module Own
  module_function

  def tostring(slot) = SLOTS[slot].to_s
  def field(slot, name) = SLOTS[slot].public_send(name)

  def next(slot)
    SLOTS[slot].next
  rescue StopIteration
    nil
  end

  def keep(slot, value)
    SLOTS[slot] = value
    nil
  end

  def foreign(slot, descriptor, dirty = nil)
    SLOTS[slot] = dirty.nil? ? Foreign.new(descriptor) : Buffering.new(descriptor)
    SLOTS[slot].dirty = dirty unless dirty.nil?
    nil
  end

  def drop(slot)
    SLOTS.delete(slot)
    GC.start
  end

  def reset(_slot)
    SLOTS.each_value { |value| value.close if value.respond_to?(:close) }
    SLOTS.clear
    GC.start
  end
end

def make(slot, method, args)
  return Own.public_send(method, slot, *args) if Own.singleton_methods(false).include?(method.to_sym)

  library = LIBRARIES[slot]
  return library.const_get(NAMES[method]) if library && NAMES[method]

  (library || SLOTS[slot]).public_send(method, *args)
end

def answer(into, slot, method, args)
  value = make(slot, method, args)
  ["ok", *(SEVERAL.include?(method) ? value : [value]).map { |item| encode(item, into) }]
rescue Polysock::Error => e
  return ["error", e.class, encode(e.message)] if method == "next"

  ["ok", "n", encode(e.message), encode(e.partial || e.last)]
rescue TypeError, ArgumentError => e
  ["error", "misuse", encode(e.message)]
rescue StandardError => e
  ["error", e.class, encode(e.message)]
end

def call(tag, *request)
  say(tag, "tid", Thread.current.native_thread_id) if tag != "0"
  say(tag, *answer(*request))
end

$stdin.binmode
$stdout.binmode
$stdout.sync = true
say("polysock-testee", 1, Polysock::VERSION.tr(" ", "-"), "threads", "lacks=strings-apart")
$stdin.each_line do |line|
  tag, into, slot, method, *words = line.split
  args = []
  args << decode(words.shift, words) until words.empty?
  if tag == "0"
    call(tag, into, slot, method, args)
  else
    Thread.new { call(tag, into, slot, method, args) }
  end
end
