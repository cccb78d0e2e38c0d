# frozen_string_literal: true

require_relative "error"

module Factor2
  # An authenticator of the C API, freed by +close+ or by the garbage collector, and never during a call.
  class Handle
    # Frees what nobody has closed.
    class Pointer < FFI::AutoPointer
      def self.release(pointer)
        Library.factor2_authenticator_free(pointer)
      end
    end

    UNINTERRUPTED = { Object => :never }.freeze
    private_constant :Pointer, :UNINTERRUPTED

    # Runs the block to its end whatever other threads raise here or Timeout does: what a call gave must
    # be freed, and it waits for the store no longer than the settings allow.
    def self.uninterrupted(&)
      Thread.handle_interrupt(UNINTERRUPTED, &)
    end

    def initialize(pointer)
      @pointer = Pointer.new(pointer)
      @lock = Mutex.new
      @calls = 0
      @closed = false
    end

    # Gives the block the pointer, which stays valid until the block has ended.
    def use
      Handle.uninterrupted do
        @lock.synchronize do
          raise Error.for(102, "the authenticator was closed") if @closed

          @calls += 1
        end
        begin
          yield @pointer
        ensure
          leave
        end
      end
    end

    # Refuses further calls. The calls that run go on, and the last of them frees.
    def close
      Handle.uninterrupted do
        @lock.synchronize do
          @pointer.free if @calls.zero? && !@closed
          @closed = true
        end
      end
    end

    def closed?
      @closed
    end

    private

    def leave
      @lock.synchronize do
        @calls -= 1
        @pointer.free if @calls.zero? && @closed
      end
    end
  end
  private_constant :Handle
end
