# frozen_string_literal: true

# SPDX-License-Identifier: MIT
# What only Ruby has: exceptions, threads and signals during a wait, garbage collection, protocols.
# What all languages share is in tests/conformance.

require "minitest/autorun"
require "open3"
require "set"
require "socket"
require "timeout"
require "polysock"

# A connection: the peer is a socket of Ruby's own library.
module Connection
  LIMIT = 20 # seconds; for what must happen soon, also on a busy machine

  def setup
    listener = TCPServer.new("127.0.0.1", 0)
    @client = Polysock.connect("127.0.0.1", listener.addr[1])
    @peer = listener.accept
    listener.close
  end

  def teardown
    @client.close
    @peer.close unless @peer.closed?
  end

  def open_descriptors
    skip("needs /proc") unless File.directory?("/proc/self/fd")
    Dir.children("/proc/self/fd").size
  end

  # Waits until a thread sleeps in a call.
  def wait_for_sleep(thread)
    Timeout.timeout(LIMIT) { Thread.pass until thread.stop? }
  end
end

class Conventions < Minitest::Test
  include Connection

  def test_a_failure_is_an_error_with_the_partial_result
    @client.settimeout(0.01)
    @peer.write("hal")
    error = assert_raises(Polysock::Timeout) { @client.receive }
    assert_equal ["timeout", nil, nil], [error.message, error.errno, error.last]
    assert_includes ["hal", ""], error.partial # the bytes may arrive after the limit
    assert_kind_of IOError, error
  end

  def test_a_reset_tells_the_number_of_the_system
    @peer.setsockopt(Socket::SOL_SOCKET, Socket::SO_LINGER, [1, 0].pack("ii"))
    @peer.close
    error = assert_raises(Polysock::Closed) { @client.receive }
    assert_equal Errno::ECONNRESET::Errno, error.errno
  end

  def test_send_tells_the_last_byte
    @peer.close
    error = assert_raises(Polysock::Closed) { loop { @client.send("x" * 100_000) } }
    assert_kind_of Integer, error.last
  end

  def test_classes_of_failures
    assert_raises(Polysock::Unresolved) { Polysock::DNS.toip("name.invalid") }
    port = TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
    assert_raises(Polysock::Refused) { Polysock.connect("127.0.0.1", port) }
    @peer.write("a" * 100)
    error = assert_raises(Polysock::Oversized) { @client.receive("*l", nil, 10) }
    assert_equal "a" * 10, error.partial
  end

  def test_misuse
    assert_raises(TypeError) { @client.settimeout("soon") }
    assert_raises(ArgumentError) { @client.receive("*x") }
    assert_raises(ArgumentError) { @client.receive("*l", "", 1, 2) }
    assert_raises(TypeError) { Polysock::Socket.allocate }
    assert_raises(TypeError) { @client.dup }
  end

  def test_strings
    @peer.write("gr\u00fc\u00dfe\n")
    line = @client.receive
    assert_equal Encoding::BINARY, line.encoding
    assert_equal "gr\u00fc\u00dfe", line.force_encoding("UTF-8")
    assert_equal Encoding::UTF_8, @client.getpeername[0].encoding
    assert_raises(TypeError) { @client.settimeout(1, "b".encode("UTF-16LE")) }
  end

  def test_symbols_are_texts
    assert_equal 1, @client.setoption(:keepalive, true)
    assert @client.getoption(:keepalive)
    assert_equal 1, @client.setoption(:linger, { on: true, timeout: 1 })
    assert_equal({ on: true, timeout: 1 }, @client.getoption(:linger))
    assert_equal 1, @client.shutdown(:send)
  end

  def test_a_block_closes
    seen = nil
    result = Polysock.bind("127.0.0.1", 0) do |server|
      seen = server
      :result
    end
    assert_equal :result, result
    assert_equal(-1, seen.getfd)
    assert_raises(KeyError) do
      Polysock.poller do |poller|
        seen = poller
        raise KeyError
      end
    end
    assert_equal(-1, seen.getfd)
  end

  def test_lines
    @peer.write("a\nb\nrest")
    @peer.close_write
    lines = @client.lines
    assert_equal "a", lines.next
    assert_equal %w[b rest], lines.to_a
    assert_raises(StopIteration) { lines.next }
    assert_equal [], @client.lines { |line| flunk(line) }.to_a
  end

  def test_io_select_takes_objects
    @peer.write("x")
    ready, = IO.select([@client], nil, nil, LIMIT)
    assert_equal [@client], ready
    assert_equal "x", @client.receive(1)
  end

  def test_select_and_pollers_take_other_objects
    assert_equal [[@peer], [@client], nil],
                 (@client.send("x") && Polysock.select([@peer], [@client, @client], LIMIT))
    poller = Polysock.poller
    poller.add(@peer, "r", :token)
    assert_equal [[:token, "r"]], poller.wait(LIMIT)
    assert_equal 1, poller.remove(@peer)
    assert_equal 0, poller.count
  end

  Foreign = Struct.new(:getfd, :dirty)

  def test_select_asks_other_objects_for_buffered_bytes
    full, empty = Foreign.new(@peer.fileno, true), Foreign.new(@peer.fileno, false)
    assert_equal [[full], [], nil], Polysock.select([empty, full], nil, LIMIT)
  end

  def test_select_believes_no_odd_descriptor
    fds = [-1, 2**31, 2**70, 1.5, "0", :x, true, nil]
    odd = [Object.new, *fds.map { |fd| Foreign.new(fd, true) }]
    odd[1].define_singleton_method(:dirty) { raise "not asked, since it is never ready" }
    odd.each { |object| assert_equal [[], [], "timeout"], Polysock.select([object], [object], 0) }
  end

  def test_select_takes_the_set_as_it_is_at_the_call
    set = [Object.new, @client]
    set[0].define_singleton_method(:getfd) { (set[1] = nil) || -1 }
    assert_equal [[], [@client], nil], Polysock.select(nil, set, LIMIT)
  end

  def test_a_name_without_a_service
    assert_equal [Array, NilClass], Polysock::DNS.getnameinfo("127.0.0.1").map(&:class)
  end

  def test_integers_of_more_than_64_bits
    [2**63, 2**64 - 1, 2**64, 2**70, -(2**63) - 1, -(2**64), -(2**70)].each do |count|
      assert_raises(ArgumentError) { @client.receive(count) }
    end
    [2.0**63, -(2.0**64)].each { |count| assert_raises(TypeError) { @client.receive(count) } }
    assert_raises(ArgumentError) { @client.receive(-(2.0**63)) }
    assert_equal 1, @client.setoption("recv-buffer-size", 65_536.0)
    assert_equal 1, Polysock.tcp4 { |one| one.bind("127.0.0.1", 0) && one.listen(-(2**70)) }
    error = assert_raises(Polysock::Error) { @client.setoption("recv-buffer-size", 2**63) }
    assert_equal Errno::EINVAL::Errno, error.errno
  end

  def test_the_surface_is_that_of_the_interface
    text = File.read(File.expand_path("../../swig/polysock.i", __dir__)).split("\n// ---- Objects")
    sockets, pollers = text[1].split("struct ps_poller {};")
    named = ->(part) { part.scan(/^ps_\w+ (\w+)\(/).flatten.to_set }
    ruby = %w[inspect kind to_s]
    assert_equal named[sockets] | ruby, methods_of(Polysock::Socket)
    assert_equal named[pollers], methods_of(Polysock::Poller)
    functions = named[text[0]].map { |name| name.sub(/\Aps_(poller_make)?/) { $1 ? "poller" : "" } }
    ours = Polysock.singleton_methods(false).map(&:to_s) +
           Polysock::DNS.singleton_methods(false).map { |name| "dns_#{name}" }
    assert_equal functions.to_set, ours.to_set
  end

  def methods_of(type) = type.public_instance_methods(false).map(&:to_s).to_set
end

class Threads < Minitest::Test
  include Connection

  def test_others_run_while_one_waits
    waiting = Thread.new { @client.receive }
    wait_for_sleep(waiting)
    assert_equal 100, 100.times.count { Thread.new { true }.value }
    @peer.write("line\n")
    assert_equal "line", waiting.value
  end

  def test_close_wakes
    waiting = Thread.new { assert_raises(Polysock::Closed) { @client.receive } }
    wait_for_sleep(waiting)
    @client.close
    assert waiting.join(LIMIT)
  end

  def test_timeout_and_raise_end_a_wait
    assert_raises(Timeout::Error) { Timeout.timeout(0.05) { @client.receive } }
    waiting = Thread.new { assert_raises(KeyError) { @client.receive } }
    wait_for_sleep(waiting)
    waiting.raise(KeyError)
    assert waiting.join(LIMIT)
  end

  def test_kill_ends_a_wait_and_loses_no_byte
    @peer.write("be")
    Polysock.select([@client], nil, LIMIT)
    waiting = Thread.new { @client.receive(5) }
    wait_for_sleep(waiting)
    waiting.kill
    assert waiting.join(LIMIT)
    @peer.write("gin")
    assert_equal "begin", @client.receive(5)
  end

  # The bytes that are sent are those at the call, whatever another thread does to the string.
  def test_an_argument_may_change_during_the_call
    data = "x" * 8_000_000
    sending = Thread.new { @client.send(data) }
    wait_for_sleep(sending)
    data.replace("y" * 10)
    GC.start
    received = @peer.read(8_000_000)
    assert_equal 8_000_000, received.count("x")
    assert_equal 8_000_000, sending.value
  end

  def test_a_set_may_change_during_select
    set = [@client]
    waiting = Thread.new { Polysock.select(set, nil, LIMIT) }
    wait_for_sleep(waiting)
    set.clear
    GC.start
    @peer.write("x")
    assert_equal [[@client], [], nil], waiting.value
  end

  def test_two_threads_receive_whole_lines
    count = 2000
    readers = Array.new(2) { Thread.new { @client.lines.to_a } }
    count.times { |number| @peer.write("#{number}\n") }
    @peer.close_write
    lines = readers.flat_map(&:value)
    assert_equal count.times.to_a, lines.map(&:to_i).sort
  end
end

# An exception may come at any point: from a signal, Timeout, Thread#raise or for want of memory.
class Interruptions < Minitest::Test
  include Connection

  class Boom < Exception; end # rubocop:disable Lint/InheritException

  EVENTS = %i[line call return c_call c_return b_call b_return].freeze

  # Calls the block with a function again and again; what it calls by the function is broken off at
  # its first event, at the second, and so on, until it comes through.
  def each_break
    own = Thread.current
    0.step do |number|
      left = number
      broken = false
      break_off = TracePoint.new(*EVENTS) do |event|
        next if event.path == __FILE__ || Thread.current != own || (left -= 1) >= 0

        break_off.disable
        broken = true
        raise Boom
      end
      yield(lambda do |&call|
        break_off.enable(&call)
      rescue Boom
        nil
      end)
      return assert_operator(number, :>, 3) unless broken
    end
  end

  # Whatever came of the call, the poller has what it says: each member is known by its object, and
  # what is no member can be added.
  def assert_whole(poller, sources)
    sources.each do |source|
      poller.remove(source)
    rescue Polysock::Error
      assert_equal 1, poller.add(source, "w", :again)
      assert_equal 1, poller.remove(source)
    end
    assert_equal 0, poller.count
    held = poller.instance_variables.map { |name| poller.instance_variable_get(name) }
    assert_equal [], held.grep(Hash).reject(&:empty?)
  end

  def source_for(descriptor)
    source = Struct.new(:getfd) { def dirty = false }
    source.new(descriptor)
  end

  def test_a_poller_adds_all_or_nothing
    [@client, source_for(@peer.fileno)].each do |source|
      each_break do |broken|
        poller = Polysock.poller
        added = broken.call { poller.add(source, "w", :token) }
        expected = poller.count.zero? ? [] : [[:token, "w"]]
        assert_equal expected, poller.wait(0) if added || !expected.empty?
        assert_equal 1, poller.add(source, "w", :token) if expected.empty?
        assert_whole(poller, [source])
      end
    end
  end

  def test_a_poller_forgets_what_it_removes
    [@client, source_for(@peer.fileno)].each do |source|
      each_break do |broken|
        poller = Polysock.poller
        poller.add(source, "w", :token)
        broken.call { poller.remove(source) }
        assert_whole(poller, [source])
      end
    end
  end

  def test_a_poller_with_a_source_that_changes_its_descriptor
    each_break do |broken|
      poller = Polysock.poller
      source = source_for(@peer.fileno)
      poller.add(source, "w", :before)
      source.getfd = @client.getfd
      broken.call { poller.add(source, "w", :after) }
      other = source_for(@peer.fileno)
      poller.add(other, "w", :other) if poller.count.zero? || poller.wait(0).dig(0, 0) == :after
      assert_whole(poller, [source, other])
    end
  end

  def test_a_poller_and_closed_members
    each_break do |broken|
      poller = Polysock.poller
      sockets = Array.new(3) { Polysock.tcp4.tap { |made| poller.add(made, "r") } }
      sockets.each(&:close)
      poller.add(@client, "w", :token)
      broken.call { poller.wait(0) }
      assert_equal [[:token, "w"]], poller.wait(0)
      broken.call { poller.modify(@client, "rw", :token) }
      assert_equal [[:token, "w"]], poller.wait(0)
      broken.call { poller.close }
      poller.close
      assert_equal 0, poller.count
    end
  end

  # What raises between two calls cannot tell whether the caller has the result already. Where it
  # may only raise in a wait, no byte is lost.
  def test_no_line_is_lost_where_only_a_wait_is_interrupted
    count = 3000
    read = { "receive" => -> { @client.receive }, "next" => @client.lines.method(:next) }
    read.each_value do |call|
      ready = false
      got = []
      reader = Thread.new do
        Thread.handle_interrupt(Boom => :on_blocking) do
          ready = true
          while got.size < count
            begin
              got << call.call
            rescue Boom
              next
            end
          end
        end
      rescue Boom
        nil # it was the last one
      end
      Timeout.timeout(LIMIT) { Thread.pass until ready }
      writer = Thread.new { count.times { |number| @peer.write("#{number}\n") } }
      while reader.alive?
        reader.raise(Boom)
        sleep(0.0001)
      end
      writer.join
      assert_equal count.times.to_a, got.map(&:to_i)
    end
  end

  # An object that a call has left by an exception is in nobody's use, and has its bytes.
  def test_other_calls_go_on
    server = Polysock.bind("127.0.0.1", 0)
    @peer.write("be")
    Polysock.select([@client], nil, LIMIT)
    poller = Polysock.poller
    poller.add(server, "r")
    before = open_descriptors
    calls = [
      -> { @client.receive(5) }, -> { @client.receive(1_000_000) }, -> { @client.receive("*a") },
      -> { @client.lines.next }, -> { @client.lines { flunk } }, -> { @client.receiveuntil("xyz") },
      -> { server.accept }, -> { poller.wait }, -> { Polysock.select([server], nil) },
      -> { server.accept { flunk } }
    ]
    calls.each do |call|
      waiting = Thread.new { assert_raises(Boom, &call) }
      wait_for_sleep(waiting)
      waiting.raise(Boom)
      assert waiting.join(LIMIT)
      assert_equal 1, @client.settimeout(LIMIT)
      # The collector may close what earlier tests have left.
      assert_operator open_descriptors, :<=, before
    end
    @peer.write("gin")
    assert_equal "begin", @client.receive(5)
    server.close
  end

  def test_a_send_that_is_interrupted_tells_by_the_statistics
    sending = Thread.new { assert_raises(Boom) { @client.send("x" * 50_000_000) } }
    wait_for_sleep(sending)
    sending.raise(Boom)
    assert sending.join(LIMIT)
    sent = @client.getstats[1]
    reading = Thread.new { @peer.read(sent + 1) }
    @client.send("y")
    assert_equal "x" * sent + "y", reading.value
  end
end

class Memory < Minitest::Test
  include Connection

  def test_collected_objects_are_closed
    before = open_descriptors
    200.times { Polysock.tcp4 }
    200.times { Polysock.poller }
    Timeout.timeout(LIMIT) { make_garbage while open_descriptors > before + 20 }
  end

  # The collector is conservative: old stack frames may still name a few objects.
  def make_garbage
    1000.times { Object.new }
    GC.start
  end

  def test_large_results
    data = Random.bytes(3_000_000)
    writer = Thread.new { @peer.write(data) }
    assert_equal data, @client.receive(data.size)
    writer.join
  end

  def test_under_stress
    lines = Array.new(5) { |number| "#{number}" * 300 }
    @peer.write(lines.join("\n"), "\n")
    GC.stress = true
    assert_equal lines, Array.new(5) { @client.receive }
    poller = Polysock.poller
    poller.add(@peer, "rw")
    poller.add(@client, "r", +"token")
    assert_equal [[@peer, "w"]], poller.wait(LIMIT)
    assert_equal ["127.0.0.1", [{ family: "inet", addr: "127.0.0.1" }]],
                 [Polysock::DNS.toip("127.0.0.1")[0], Polysock::DNS.getaddrinfo("127.0.0.1")]
    GC.compact if GC.respond_to?(:compact)
    assert_equal 2, poller.count
  ensure
    GC.stress = false
  end
end

class Processes < Minitest::Test
  include Connection

  # Ctrl-C raises Interrupt in the main thread although it waits.
  def test_interrupt
    code = <<~RUBY
      require "polysock"
      $stdout.sync = true
      trap("INT", "DEFAULT") # a shell lets its background jobs ignore it
      main = Thread.main
      Thread.new { Thread.pass until main.stop?; puts "waiting" }
      trap("USR1") { puts "trapped" }
      begin
        Polysock.bind("127.0.0.1", 0).accept
      rescue Interrupt
        puts "interrupted"
      end
    RUBY
    Open3.popen2(RbConfig.ruby, "-e", code) do |_, output, process|
      watchdog = Thread.new { sleep 60; Process.kill("KILL", process.pid) }
      assert_equal "waiting\n", output.gets
      Process.kill("USR1", process.pid)
      assert_equal "trapped\n", output.gets # a trap runs, and the wait goes on
      Process.kill("INT", process.pid)
      assert_equal "interrupted\n", output.gets
      assert process.value.success?
      watchdog.kill
    end
  end

  # A program of its own, since the locale and descriptor 0 belong to the process.
  def test_words_of_the_system_are_in_the_encoding_of_the_locale
    code = <<~RUBY
      require "polysock"
      server = Polysock.bind("127.0.0.1", 0)
      server.settimeout(0)
      words = [-> { server.accept }, -> { server.setoption("recv-buffer-size", 2**63) }].map do |call|
        call.call
      rescue Polysock::Error => e
        e.message
      end
      p words.map(&:encoding) == [Encoding::UTF_8, Encoding.find("locale")]
    RUBY
    assert_equal ["true\n", true], run_program({ "LC_ALL" => "C" }, code)
  end

  def test_descriptor_0_is_one_like_others
    code = <<~RUBY
      require "polysock"
      full = Struct.new(:getfd, :dirty).new(0, true)
      p Polysock.select([full], nil, 0) == [[full], [], nil]
    RUBY
    assert_equal ["true\n", true], run_program({}, code)
  end

  # Returns what a program says, and whether it ends well. It has nothing to read.
  def run_program(env, code)
    Open3.popen2(env, RbConfig.ruby, "-e", code) do |_, output, process|
      [output.read, process.value.success?]
    end
  end

  def test_a_child_may_use_a_copy
    child = fork do
      @client.send("from the child\n")
      @client.close
      exit!(0)
    end
    Process.wait(child)
    assert_equal "from the child\n", @peer.gets
    @client.send("from the parent\n")
    assert_equal "from the parent\n", @peer.gets
  end
end
