namespace Polymath.Generation;

/// <summary>Receives a piece of the answer. The span is only valid during the call.</summary>
public delegate void TextSink(ReadOnlySpan<char> piece);

/// <summary>
/// Lets text through until a stop text is complete. A tail that could still become one is held back, so that what has
/// been passed on never has to be taken back.
/// </summary>
public sealed class StopTexts
{
    private readonly string[] _stops;
    private readonly int _longest;
    private readonly TextSink _sink;
    private char[] _held = new char[256];
    private int _count;

    /// <summary>Passes text on to <paramref name="sink"/>.</summary>
    /// <exception cref="ArgumentException">A stop text is empty.</exception>
    public StopTexts(IReadOnlyList<string> stops, TextSink sink)
    {
        ArgumentNullException.ThrowIfNull(stops);
        _stops = [.. stops];
        _sink = sink;
        foreach (string stop in _stops)
        {
            ArgumentException.ThrowIfNullOrEmpty(stop, nameof(stops));
            _longest = Math.Max(_longest, stop.Length);
        }
    }

    /// <summary>True once a stop text has come; everything from it on is swallowed.</summary>
    public bool Stopped { get; private set; }

    /// <summary>Takes the next piece of the answer.</summary>
    public void Append(ReadOnlySpan<char> piece)
    {
        if (Stopped || piece.IsEmpty)
            return;
        if (_stops.Length == 0)
        {
            _sink(piece);
            return;
        }

        if (piece.Length > _held.Length - _count)
            Array.Resize(ref _held, Math.Max(2 * _held.Length, _count + piece.Length));
        piece.CopyTo(_held.AsSpan(_count));
        _count += piece.Length;
        ReadOnlySpan<char> text = _held.AsSpan(0, _count);
        int end = FirstStop(text);
        Stopped = end >= 0;
        Pass(Stopped ? end : text.Length - PossibleTail(text));
    }

    /// <summary>The answer is over: what was held back is passed on.</summary>
    public void Flush()
    {
        if (!Stopped)
            Pass(_count);
    }

    private void Pass(int certain)
    {
        if (certain > 0)
            _sink(_held.AsSpan(0, certain));
        _held.AsSpan(certain, _count - certain).CopyTo(_held);
        _count -= certain;
    }

    /// <summary>Where the stop text that is complete first begins, or −1.</summary>
    private int FirstStop(ReadOnlySpan<char> text)
    {
        int begin = -1, end = int.MaxValue;
        foreach (string stop in _stops)
        {
            int at = text.IndexOf(stop, StringComparison.Ordinal);
            if (at < 0 || at + stop.Length > end || (at + stop.Length == end && at > begin))
                continue;
            begin = at;
            end = at + stop.Length;
        }

        return begin;
    }

    /// <summary>Length of the longest end of the text that begins some stop text.</summary>
    private int PossibleTail(ReadOnlySpan<char> text)
    {
        for (int length = Math.Min(_longest - 1, text.Length); length > 0; length--)
        {
            foreach (string stop in _stops)
            {
                if (stop.Length > length && stop.AsSpan(0, length).SequenceEqual(text[^length..]))
                    return length;
            }
        }

        return 0;
    }
}
