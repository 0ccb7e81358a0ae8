using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Models;

/// <summary>How a need stands to the memory of a machine.</summary>
public enum MemoryFit
{
    /// <summary>All of it is free now, the mapped weights included.</summary>
    Fits,

    /// <summary>More than is free now, or weights that do not stay in memory and are read from the disk again and again.</summary>
    ExceedsFree,

    /// <summary>More than the machine or its container can ever give, even without the mapped weights.</summary>
    ExceedsMachine,
}

/// <summary>
/// Memory of a model and a session, by kind. Mapped weights are file cache: the system may drop and reread them, so they
/// need not be free memory, only speed asks for it. The rest is this process's own. The runtime and the vocabulary, some
/// tens of MiB, come on top.
/// </summary>
/// <param name="Mapped">Bytes of weights used where the mapped file has them.</param>
/// <param name="Made">Bytes of weights that are made at loading.</param>
/// <param name="Cache">Bytes of keys, values and states; taken as tokens come.</param>
/// <param name="Buffers">Bytes of scratch, logits and rotations.</param>
public readonly record struct MemoryNeed(long Mapped, long Made, long Cache, long Buffers)
{
    private const long Endless = long.MaxValue / 4;   // four of them still add up

    /// <summary>Bytes that only this process can give back.</summary>
    public long Own => Made + Cache + Buffers;

    /// <summary>Bytes of everything.</summary>
    public long Total => Mapped + Own;

    /// <summary>How it stands to <paramref name="memory"/>.</summary>
    public MemoryFit FitIn(MachineMemory memory) =>
        Own > memory.Total ? MemoryFit.ExceedsMachine : Total > memory.Free ? MemoryFit.ExceedsFree : MemoryFit.Fits;

    /// <summary>What a session takes, without the weights.</summary>
    /// <exception cref="ArgumentException">The heads do not fill whole blocks of a cache format, or there are no such positions.</exception>
    internal static MemoryNeed OfSession(Decoder decoder, int batchSize, SessionOptions options)
    {
        int context = decoder.ContextOf(options), batch = Math.Min(batchSize, context);
        return new MemoryNeed(
            0, 0,
            Bounded(() => checked(
                KvPool.ByteLength(decoder.CacheLayers, context, 1, batch, options.KeyFormat, options.ValueFormat)
                + KvCache.StateBytes(decoder.CacheLayers))),
            Bounded(() => checked(
                decoder.ScratchBytes(batch) + Arena.SizeOf(1, decoder.Settings.Vocabulary) + decoder.RopeBytes(context))));
    }

    /// <summary>A size; one that no number can hold counts as endless.</summary>
    internal static long Bounded(Func<long> bytes)
    {
        try
        {
            return Math.Min(bytes(), Endless);
        }
        catch (OverflowException)
        {
            return Endless;
        }
    }
}
