namespace Polymath.Text;

/// <summary>Finds all tokens that a text starts with. The tokens stand in order of their bytes; no copy of them is kept.</summary>
internal sealed class SortedTokens
{
    private readonly TokenTable _table;
    private readonly int[] _order; // ids of tokens of two bytes and more, by bytes
    private readonly int[] _starts = new int[(1 << 16) + 1]; // where in _order those with a given first two bytes start
    private readonly int[] _singles = new int[256]; // tokens of one byte, or -1

    /// <summary>Sorts the tokens.</summary>
    /// <param name="table">Their bytes.</param>
    /// <param name="count">Number of ids.</param>
    /// <param name="indexed">Which ids can be found; of two with the same bytes the lower is.</param>
    public SortedTokens(TokenTable table, int count, Func<int, bool> indexed)
    {
        _table = table;
        Array.Fill(_singles, -1);
        var order = new List<int>(count);
        for (int id = 0; id < count; id++)
        {
            ReadOnlySpan<byte> bytes = table[id];
            if (bytes.IsEmpty || !indexed(id))
                continue;
            if (bytes.Length > 1)
                order.Add(id);
            else if (_singles[bytes[0]] < 0)
                _singles[bytes[0]] = id;
        }

        order.Sort((a, b) => table[a].SequenceCompareTo(table[b]) is not 0 and int by ? by : a.CompareTo(b));
        _order = [.. order];
        foreach (int id in _order)
            _starts[FirstTwo(table[id]) + 1]++;
        for (int i = 0; i < 1 << 16; i++)
            _starts[i + 1] += _starts[i];
    }

    /// <summary>All tokens that are prefixes of <paramref name="text"/>, the shortest first.</summary>
    public Prefixes Search(ReadOnlySpan<byte> text) => new(this, text);

    private static int FirstTwo(ReadOnlySpan<byte> bytes) => (bytes[0] << 8) | bytes[1];

    /// <summary>Goes through the prefixes.</summary>
    internal ref struct Prefixes(SortedTokens tokens, ReadOnlySpan<byte> text)
    {
        private readonly ReadOnlySpan<byte> _text = text;
        private int _depth; // bytes of the text that all tokens in the range share
        private int _from;
        private int _to;

        /// <summary>The token.</summary>
        public int Id { get; private set; }

        /// <summary>Its length.</summary>
        public int Length { get; private set; }

        /// <summary>Goes to the next; false when there is none.</summary>
        public bool MoveNext()
        {
            if (_depth == 0 && First())
                return true;
            while (_from < _to)
            {
                // Shorter tokens come first in the range, and of equal ones the lowest id.
                ReadOnlySpan<byte> candidate = tokens._table[tokens._order[_from]];
                if (candidate.Length == _depth)
                {
                    Id = tokens._order[_from];
                    Length = _depth;
                    SkipEquals();
                    Narrow();
                    return true;
                }

                Narrow();
            }

            return false;
        }

        private bool First()
        {
            if (_text.IsEmpty)
                return false;
            _depth = 2;
            if (_text.Length > 1)
            {
                int two = FirstTwo(_text);
                (_from, _to) = (tokens._starts[two], tokens._starts[two + 1]);
            }

            Id = tokens._singles[_text[0]];
            Length = 1;
            return Id >= 0;
        }

        private void SkipEquals()
        {
            while (_from < _to && tokens._table[tokens._order[_from]].Length == _depth)
                _from++;
        }

        /// <summary>Leaves only the tokens that go on with the next byte of the text.</summary>
        private void Narrow()
        {
            if (_depth >= _text.Length)
            {
                _from = _to;
                return;
            }

            byte next = _text[_depth];
            _from = Bound(next);
            _to = next == 255 ? _to : Bound(next + 1);
            _depth++;
        }

        private readonly int Bound(int value)
        {
            int low = _from;
            int high = _to;
            while (low < high)
            {
                int middle = (low + high) >>> 1;
                if (tokens._table[tokens._order[middle]][_depth] < value)
                    low = middle + 1;
                else
                    high = middle;
            }

            return low;
        }
    }
}
