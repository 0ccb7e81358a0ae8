using Polymath.Tensors;

namespace Polymath.Models.Layers;

/// <summary>
/// Memory for the keys and values of many texts, in pages of <see cref="PageLength"/> tokens. Layers that see the same
/// window form a group; a page of a group holds those tokens of all its layers. Pages are counted: texts with the same
/// beginning share them, and a page is free again when the last of them lets go. One thread at a time.
/// </summary>
internal sealed class KvPool : IDisposable
{
    /// <summary>Tokens of a page.</summary>
    public const int PageLength = Attention.TileLength;

    private readonly NativeBuffer _buffer;
    private readonly Tensor[] _keys;      // of each layer, [pages · PageLength, K·S]
    private readonly Tensor[] _values;
    private readonly int[] _groupOf;      // of each layer; −1 for one without attention
    private readonly Group[] _groups;

    /// <summary>Reserves the pages; memory is taken as they are written.</summary>
    /// <param name="layers">What each layer keeps.</param>
    /// <param name="tokens">Tokens of all texts together, each text counted in whole pages.</param>
    /// <param name="texts">Most texts at a time: a window's layers keep that many windows.</param>
    /// <param name="batch">Most tokens of a text in one pass.</param>
    /// <param name="keyFormat">Format of the keys: F32, F16, BF16, Q8_0, Q4_0 …</param>
    /// <param name="valueFormat">Format of the values.</param>
    /// <exception cref="ArgumentException">A head does not fill whole blocks of the format.</exception>
    public KvPool(IReadOnlyList<CacheLayer> layers, long tokens, int texts, int batch, TensorFormat keyFormat, TensorFormat valueFormat)
    {
        Layers = layers;
        _buffer = new NativeBuffer(ByteLength(layers, tokens, texts, batch, keyFormat, valueFormat));
        _keys = new Tensor[layers.Count];
        _values = new Tensor[layers.Count];
        _groupOf = new int[layers.Count];
        var groups = new List<Group>();
        long offset = 0;
        for (int i = 0; i < layers.Count; i++)
        {
            CacheLayer layer = layers[i];
            _groupOf[i] = layer.Width == 0 ? -1 : groups.FindIndex(group => group.Window == layer.Window);
            if (layer.Width == 0)
                continue;
            int pages = PagesOf(layer.Window, tokens, texts, batch);
            if (_groupOf[i] < 0)
            {
                _groupOf[i] = groups.Count;
                groups.Add(new Group(layer.Window, pages, PagesOfText(layer.Window, batch)));
            }

            _keys[i] = Cut(keyFormat, pages * PageLength, layer.Width);
            _values[i] = Cut(valueFormat, pages * PageLength, layer.Width);
        }

        _groups = [.. groups];

        Tensor Cut(TensorFormat format, int rows, int columns)
        {
            Tensor tensor = Tensor.View(_buffer, offset, format, rows, columns);
            offset += Arena.SizeOf(rows, columns, format);
            return tensor;
        }
    }

    /// <summary>What each layer keeps.</summary>
    public IReadOnlyList<CacheLayer> Layers { get; }

    /// <summary>Bytes of all pages.</summary>
    public long Bytes => _buffer.Length;

    /// <summary>The groups of layers.</summary>
    public ReadOnlySpan<Group> Groups => _groups;

    /// <summary>Pages that no text holds, in the group that has the fewest.</summary>
    public int FreePages
    {
        get
        {
            int least = int.MaxValue;
            foreach (Group group in _groups)
                least = Math.Min(least, group.Free);
            return least;
        }
    }

    /// <summary>Bytes of a pool of this kind.</summary>
    /// <exception cref="ArgumentException">A head does not fill whole blocks of the format.</exception>
    /// <exception cref="OverflowException">More than can be.</exception>
    public static long ByteLength(
        IReadOnlyList<CacheLayer> layers, long tokens, int texts, int batch, TensorFormat keyFormat, TensorFormat valueFormat)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tokens);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(texts);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batch);
        long sum = 0;
        foreach (CacheLayer layer in layers)
        {
            if (layer.Width == 0)
                continue;
            RequireFit(layer, keyFormat);
            RequireFit(layer, valueFormat);
            int rows = checked(PagesOf(layer.Window, tokens, texts, batch) * PageLength);
            sum = checked(sum + Arena.SizeOf(rows, layer.Width, keyFormat) + Arena.SizeOf(rows, layer.Width, valueFormat));
        }

        return sum;
    }

    /// <summary>Bytes that are read for one token after <paramref name="position"/> others, states included.</summary>
    public static long BytesRead(IReadOnlyList<CacheLayer> layers, int position, TensorFormat keyFormat, TensorFormat valueFormat)
    {
        long sum = 0;
        foreach (CacheLayer layer in layers)
        {
            int rows = layer.Window == 0 ? position : Math.Min(position, layer.Window);
            long row = FormatInfo.RowBytes(keyFormat, layer.Width) + FormatInfo.RowBytes(valueFormat, layer.Width);
            sum += (rows * row) + (layer.StateLength * (long)sizeof(float));
        }

        return sum;
    }

    /// <summary>Which of <see cref="Groups"/> a layer with attention belongs to.</summary>
    public int GroupOf(int layer) => _groupOf[layer];

    /// <summary>Keys of <paramref name="layer"/>: [pages · PageLength, K·S].</summary>
    public Tensor Keys(int layer) => _keys[layer];

    /// <summary>Values of <paramref name="layer"/>: [pages · PageLength, K·S].</summary>
    public Tensor Values(int layer) => _values[layer];

    /// <summary>Copies the first <paramref name="tokens"/> of a page of <paramref name="group"/> to another page.</summary>
    public void Copy(int group, int from, int to, int tokens)
    {
        for (int layer = 0; layer < _groupOf.Length; layer++)
        {
            if (_groupOf[layer] != group)
                continue;
            Copy(_keys[layer]);
            Copy(_values[layer]);
        }

        void Copy(Tensor cache)
        {
            for (int row = 0; row < tokens; row++)
                cache.RowData((from * PageLength) + row).CopyTo(cache.RowData((to * PageLength) + row));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _buffer.Dispose();

    /// <summary>Most pages that a text holds of a window: it, and a batch, wherever they begin.</summary>
    private static long PagesOfText(int window, int batch) =>
        window == 0 ? int.MaxValue : ((window + (long)batch - 2 + PageLength) / PageLength) + 1;

    private static int PagesOf(int window, long tokens, int texts, int batch)
    {
        long pages = (tokens + PageLength - 1) / PageLength;
        return checked((int)Math.Min(pages, texts * PagesOfText(window, batch)));
    }

    private static void RequireFit(CacheLayer layer, TensorFormat format)
    {
        if (format != TensorFormat.F32
            && (layer.HeadSize > Attention.LargestPacked || layer.HeadSize % FormatInfo.BlockLength(format) != 0))
            throw new ArgumentException($"a head of {layer.HeadSize} elements does not fit a cache in {format}");
    }

    /// <summary>The pages of the layers that see the same window.</summary>
    internal sealed class Group
    {
        private readonly int[] _uses;
        private readonly int[] _free;   // a stack

        public Group(int window, int pages, long perText)
        {
            Window = window;
            PerText = (int)Math.Min(pages, perText);
            _uses = new int[pages];
            _free = new int[pages];
            for (int i = 0; i < pages; i++)
                _free[i] = pages - 1 - i;   // the first page is the first to be taken: a text's pages lie in a row
            Free = pages;
        }

        /// <summary>Positions a token sees; 0 for all.</summary>
        public int Window { get; }

        /// <summary>Most pages of one text.</summary>
        public int PerText { get; }

        /// <summary>Pages in all.</summary>
        public int Count => _uses.Length;

        /// <summary>Pages that nothing holds.</summary>
        public int Free { get; private set; }

        /// <summary>Takes a free page, or −1.</summary>
        public int Take()
        {
            if (Free == 0)
                return -1;
            int page = _free[--Free];
            _uses[page] = 1;
            return page;
        }

        /// <summary>One more holds <paramref name="page"/>.</summary>
        public void Share(int page) => _uses[page]++;

        /// <summary>One fewer holds <paramref name="page"/>.</summary>
        public void Release(int page)
        {
            if (--_uses[page] == 0)
                _free[Free++] = page;
        }

        /// <summary>How many hold <paramref name="page"/>.</summary>
        public int Uses(int page) => _uses[page];
    }
}
