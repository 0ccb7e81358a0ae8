using System.Numerics;

namespace Polymath.Generation;

/// <summary>
/// The tokens still in the running for the next place, with their logits. Made once for a vocabulary and filled anew
/// for each token; nothing is allocated after the constructor.
/// </summary>
public sealed class Candidates
{
    private readonly ulong[] _keys;          // ordered so that ascending keys are descending logits, ties by id
    private readonly float[] _probabilities;
    private int _count;

    /// <summary>Room for a vocabulary of <paramref name="vocabulary"/> ids.</summary>
    public Candidates(int vocabulary)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vocabulary);
        _keys = new ulong[vocabulary];
        _probabilities = new float[vocabulary];
    }

    /// <summary>Candidates left; at least one after <see cref="Fill(ReadOnlySpan{float})"/>.</summary>
    public int Count => _count;

    /// <summary>True when index 0 is the most likely candidate and so on.</summary>
    public bool IsSorted { get; private set; }

    /// <summary>Id of candidate <paramref name="index"/>.</summary>
    public int Id(int index) => (int)(uint)_keys[Checked(index)];

    /// <summary>Logit of candidate <paramref name="index"/>.</summary>
    public float Logit(int index) => ToLogit(_keys[Checked(index)]);

    /// <summary>Takes all of <paramref name="logits"/> as candidates.</summary>
    public void Fill(ReadOnlySpan<float> logits)
    {
        if (logits.IsEmpty || logits.Length > _keys.Length)
            throw new ArgumentException($"{logits.Length} logits for a vocabulary of {_keys.Length}", nameof(logits));
        for (int i = 0; i < logits.Length; i++)
            _keys[i] = ToKey(logits[i], i);
        _count = logits.Length;
        IsSorted = false;
    }

    /// <summary>Takes those of <paramref name="logits"/> as candidates whose bits are set in <paramref name="allowed"/>.</summary>
    /// <exception cref="ArgumentException">None is set, or one for which there is no logit.</exception>
    public void Fill(ReadOnlySpan<float> logits, ReadOnlySpan<ulong> allowed)
    {
        _count = 0;
        for (int word = 0; word < allowed.Length; word++)
        {
            for (ulong bits = allowed[word]; bits != 0; bits &= bits - 1)
            {
                int id = (word * 64) + BitOperations.TrailingZeroCount(bits);
                if (id >= logits.Length || _count == _keys.Length)
                    throw new ArgumentException($"token {id} is allowed and there are {logits.Length} logits", nameof(allowed));
                _keys[_count++] = ToKey(logits[id], id);
            }
        }

        if (_count == 0)
            throw new ArgumentException("no token is allowed", nameof(allowed));
        IsSorted = false;
    }

    /// <summary>Replaces the logit of candidate <paramref name="index"/>.</summary>
    public void SetLogit(int index, float logit)
    {
        _keys[index] = ToKey(logit, Id(index));
        IsSorted = false;
    }

    /// <summary>Sorts by falling logit; equal ones by rising id.</summary>
    public void Sort()
    {
        if (IsSorted)
            return;
        _keys.AsSpan(0, _count).Sort();
        IsSorted = true;
    }

    /// <summary>Keeps the <paramref name="count"/> most likely candidates, sorted.</summary>
    public void KeepTop(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        if (!IsSorted && count < _count / 4)
            SelectTop(count);
        Sort();
        Truncate(Math.Min(count, _count));
    }

    /// <summary>Keeps the first <paramref name="count"/> candidates.</summary>
    public void Truncate(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _count);
        _count = count;
    }

    /// <summary>Probabilities of the candidates that are left, summing to 1.</summary>
    public ReadOnlySpan<float> Softmax()
    {
        float max = float.NegativeInfinity;
        for (int i = 0; i < _count; i++)
            max = Math.Max(max, Logit(i));
        double sum = 0;
        for (int i = 0; i < _count; i++)
        {
            float e = MathF.Exp(Logit(i) - max);
            _probabilities[i] = e;
            sum += e;
        }

        float scale = (float)(1.0 / sum);
        for (int i = 0; i < _count; i++)
            _probabilities[i] *= scale;
        return _probabilities.AsSpan(0, _count);
    }

    /// <summary>Moves the best <paramref name="count"/> to the front: a max-heap of the smallest keys seen.</summary>
    private void SelectTop(int count)
    {
        Span<ulong> heap = _keys.AsSpan(0, count);
        for (int i = (count / 2) - 1; i >= 0; i--)
            SiftDown(heap, i);
        for (int i = count; i < _count; i++)
        {
            if (_keys[i] >= heap[0])
                continue;
            heap[0] = _keys[i];
            SiftDown(heap, 0);
        }

        _count = count;
    }

    private static void SiftDown(Span<ulong> heap, int i)
    {
        ulong key = heap[i];
        for (int child; (child = (2 * i) + 1) < heap.Length; i = child)
        {
            if (child + 1 < heap.Length && heap[child + 1] > heap[child])
                child++;
            if (heap[child] <= key)
                break;
            heap[i] = heap[child];
        }

        heap[i] = key;
    }

    private int Checked(int index) => (uint)index < (uint)_count ? index : throw new ArgumentOutOfRangeException(nameof(index));

    // A float's bits, with the sign handled, order like the float; inverted, larger logits come first.
    private static ulong ToKey(float logit, int id)
    {
        uint bits = BitConverter.SingleToUInt32Bits(logit);
        uint rising = (bits & 0x80000000) != 0 ? ~bits : bits | 0x80000000;
        return ((ulong)~rising << 32) | (uint)id;
    }

    private static float ToLogit(ulong key)
    {
        uint rising = ~(uint)(key >> 32);
        return BitConverter.UInt32BitsToSingle((rising & 0x80000000) != 0 ? rising & 0x7FFFFFFF : ~rising);
    }
}
