# frozen_string_literal: true

# SPDX-License-Identifier: MIT
# TCP with timeouts, patterns and pollers. The functions are those of docs/reference.md; this file
# has what is written in Ruby: the errors, the iterator over lines, the members of a poller.
#
# - A call that succeeds returns its value, or an array when it has several.
# - A failure raises Polysock::Error; error.message is the failure in words, error.partial the
#   bytes that a failed receive has received, error.last the index of the last byte sent. Only
#   select reports a timeout as its third value.
# - Misuse (an invalid argument, the wrong kind of object) raises TypeError or ArgumentError.
# - Received bytes are binary strings; names and other texts are UTF-8. A symbol is a text, too.
# - Other threads run while a call waits. Signals, Thread#raise, Thread#kill and Timeout end a wait;
#   bytes received by then stay in the read buffer. When they come as a call ends, Ruby raises
#   before its result is assigned, and the result is lost, as with any method. Of a thread that must
#   not lose it, `Thread.handle_interrupt(Error => :on_blocking) { lines << client.receive }` only
#   interrupts the wait (and so does nothing against Ctrl-C, which traps are for).
#   Where there is no memory for a result, NoMemoryError is raised, and its bytes are lost.
# - With a block, functions that create an object yield it and close it afterwards.
module Polysock
  # A failure. errno is the system's error number; each attribute is nil where it does not apply.
  class Error < IOError
    attr_reader :errno, :partial, :last

    # Returns the error for a code of core/errors.def. value is the partial result or the last index.
    def self.of(code, words, errno, value)
      error = CLASSES.fetch(code, Error).new(words)
      error.__send__(:fill, errno, value)
      error
    end

    private

    def fill(errno, value)
      @errno = errno
      @partial = value if value.is_a?(String)
      @last = value if value.is_a?(Integer)
    end
  end

  class Timeout < Error; end
  class Closed < Error; end
  class Oversized < Error; end
  class Refused < Error; end
  class Unresolved < Error; end

  # By the numbers of core/errors.def, which never change.
  CLASSES = {
    1 => Timeout, 2 => Closed, 3 => Oversized, 4 => Refused,
    9 => Unresolved, 10 => Unresolved, 11 => Unresolved, 12 => Unresolved
  }.freeze
  private_constant :CLASSES

  require "polysock/core"

  VERSION = version
  SETSIZE = setsize
  SOCKETINVALID = -1

  # Names and addresses.
  module DNS
    Polysock.singleton_methods.grep(/\Adns_/) do |name|
      define_singleton_method(name.to_s.delete_prefix("dns_"), &Polysock.method(name))
      Polysock.singleton_class.undef_method(name)
    end
  end

  # What both classes have.
  module Descriptor
    # The descriptor for IO.select and others; the object stays its owner.
    def to_io = IO.for_fd(getfd, autoclose: false)
    def fileno = getfd

    def self.of(object)
      object.respond_to?(:getfd) ? object.getfd : (object.fileno if object.respond_to?(:fileno))
    end
  end

  class Socket
    include Descriptor
    alias_method :kind, :getkind
    undef_method :getkind
    alias_method :check_lines, :lines
    private :check_lines, :next_piece

    def inspect = "#<#{self.class} #{self}>"

    # Returns an iterator over the results of receive(pattern); with a block, iterates.
    def lines(pattern = nil, maxsize = nil, &block)
      check_lines(pattern, maxsize)
      lines = Lines.new(self, pattern, maxsize)
      block ? lines.each(&block) : lines
    end
  end

  # The iterator that Socket#lines returns.
  class Lines
    include Enumerable

    def initialize(socket, pattern, maxsize)
      @socket = socket
      @wish = [pattern, maxsize]
    end

    # Returns the next line; raises StopIteration when the peer has closed.
    def next
      @socket.__send__(:next_piece, *@wish) or raise StopIteration, "the stream has ended"
    end

    def each
      return to_enum unless block_given?

      while (line = @socket.__send__(:next_piece, *@wish))
        yield line
      end
      self
    end
  end

  class Poller
    include Descriptor

    # An object of another library keeps the descriptor that it was added with.
    Member = Struct.new(:object, :token, :getfd)
    private_constant :Member

    %i[add modify remove wait close].each do |name|
      alias_method :"core_#{name}", name
      private :"core_#{name}"
    end
    private :ready, :take_ended, :token

    # An exception may come between any two steps, from a signal or another thread. Therefore what
    # is in the core is always known here, and what is known here but not in the core does no harm:
    # it is forgotten when somebody asks for it.

    def add(sock = nil, events = nil, token = nil)
      forget_ended
      before = number_of(sock)
      descriptor = Descriptor.of(sock) unless sock.is_a?(Socket)
      member = Member.new(sock, token.nil? ? sock : token, descriptor)
      if before && member.getfd && member.getfd != members[before].getfd
        leave(before) # it has another descriptor now, and no longer owns the old one
      end
      number = @last = (@last || 0) + 1
      members[number] = member
      buffering[number] = member if member.getfd && sock.respond_to?(:dirty)
      numbers[sock] = number
      added = core_add(source_of(member), events, number)
    ensure
      undo_add(number, before) unless added || number.nil?
    end

    def modify(sock = nil, events = nil, token = nil)
      forget_ended
      number = member_of(sock)
      core_modify(number ? source_of(members[number]) : sock, events, number || 0)
      members[number].token = token unless token.nil?
      1
    end

    def remove(sock = nil)
      forget_ended
      number = member_of(sock)
      removed = core_remove(number ? source_of(members[number]) : sock)
    ensure
      forget(number) if number && (removed || !in_core?(number))
    end

    # Returns the tokens of the ready objects, each with its events.
    def wait(timeout = nil, max = nil)
      forget_ended
      buffering.values.each { |member| ready(member) if member.object.dirty }
      core_wait(timeout, max).filter_map do |number, events|
        [members[number].token, events] if members[number]
      end
    end

    def close
      core_close
      forget_ended
      1
    end

    private

    def members = @members ||= {}
    def buffering = @buffering ||= {}
    def numbers = @numbers ||= {}.compare_by_identity

    def in_core?(number)
      token(source_of(members[number])) == number if members[number]
    rescue TypeError
      false # what was to be added is no source
    end

    def number_of(sock)
      number = numbers[sock]
      return number if number.nil? || in_core?(number)

      forget(number, sock)
    end

    # Objects of other libraries with one descriptor are one member.
    def member_of(sock)
      return token(sock) if sock.is_a?(Socket)

      number_of(sock) || number_with(Descriptor.of(sock))
    end

    def number_with(descriptor)
      return if descriptor.nil?

      members.keys.find { |number| members[number]&.getfd == descriptor && in_core?(number) }
    end

    def source_of(member) = member.getfd ? member : member.object

    def leave(number)
      core_remove(source_of(members[number])) if in_core?(number)
      forget(number)
    end

    def undo_add(number, before)
      numbers[members[before].object] = before if members[before]
      leave(number)
    end

    def forget(number, object = members[number]&.object)
      buffering.delete(number)
      members.delete(number)
      numbers.delete(object) if numbers[object] == number
      nil
    end

    def forget_ended
      while (number = take_ended) do forget(number) end
    end
  end
end
