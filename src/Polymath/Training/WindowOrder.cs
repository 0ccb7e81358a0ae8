using Polymath.Generation;

namespace Polymath.Training;

/// <summary>
/// Which stretch of the data each sample of a training run is. Every epoch cuts the data at another offset into windows
/// of T ids and takes each window once, in another order. All follows from the seed and the number of the sample, so a
/// run can go on from anywhere with nothing more than that number.
/// </summary>
public sealed class WindowOrder
{
    private readonly ulong _seed;
    private readonly int _length;
    private readonly int _spare;   // ids left over: the offset moves within them
    private readonly int[] _order;
    private long _epoch = -1;
    private int _offset;

    /// <summary>Plans windows of <paramref name="length"/> ids and the one that follows.</summary>
    /// <param name="tokens">Ids in the data.</param>
    /// <param name="length">T.</param>
    /// <param name="seed">Equal seeds give equal orders.</param>
    /// <exception cref="TrainingException">Not even one window fits.</exception>
    public WindowOrder(int tokens, int length, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        if (tokens < length + 1)
            throw new TrainingException($"the training data holds {tokens} tokens; a context of {length} needs at least {length + 1}");
        _seed = seed;
        _length = length;
        // One window fewer than fits leaves room for a whole window of offsets.
        Windows = Math.Max(1, ((tokens - 1) / length) - 1);
        _spare = tokens - 1 - (Windows * length);
        _order = new int[Windows];
    }

    /// <summary>Windows in an epoch.</summary>
    public int Windows { get; }

    /// <summary>First id of sample <paramref name="sample"/>.</summary>
    public int Start(long sample)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sample);
        long epoch = sample / Windows;
        if (epoch != _epoch)
            Shuffle(epoch);
        return _offset + (_order[sample % Windows] * _length);
    }

    private void Shuffle(long epoch)
    {
        var random = new RandomSource(new RandomSource(_seed).NextUInt64() + (ulong)epoch);
        _epoch = epoch;
        _offset = random.NextInt32(Math.Min(_spare, _length - 1) + 1);
        for (int i = 0; i < _order.Length; i++)
        {
            int other = random.NextInt32(i + 1);   // Fisher and Yates, inside out
            _order[i] = _order[other];
            _order[other] = i;
        }
    }
}
