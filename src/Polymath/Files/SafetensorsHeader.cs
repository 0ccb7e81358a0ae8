using System.Text.Json;

namespace Polymath.Files;

/// <summary>
/// Reads and checks the JSON header of a safetensors file, token by token: a document tree of a hostile header would
/// take several times its size. Names that are there twice are refused at every level.
/// </summary>
internal ref struct SafetensorsHeader
{
    private const int MaxDepth = 4;
    private const int MaxDimensions = 16;
    private const int EntryBytes = 320;    // an entry, its sizes and its place in the dictionary
    private const int StringBytes = 32;

    private readonly string _path;
    private readonly long _dataLength;
    private Utf8JsonReader _reader;
    private long _budget;

    public SafetensorsHeader(string path, ReadOnlySpan<byte> header, long dataLength)
    {
        _path = path;
        _dataLength = dataLength;
        _reader = new Utf8JsonReader(header, new JsonReaderOptions { MaxDepth = MaxDepth });
        _budget = FileLimits.MemoryBesidesFile + (2L * header.Length);
    }

    /// <summary>All tensors by name.</summary>
    /// <exception cref="ModelFormatException">The header breaks a rule.</exception>
    public Dictionary<string, SafetensorsFile.Entry> Read()
    {
        try
        {
            Dictionary<string, SafetensorsFile.Entry> entries = ReadEntries();
            if (_reader.Read())
                throw Bad("more than one value");
            CheckCover(entries);
            return entries;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The reader reports text that is no valid Unicode by InvalidOperationException.
            throw Bad("no valid JSON: " + FileLimits.Printable(e.Message));
        }
    }

    private Dictionary<string, SafetensorsFile.Entry> ReadEntries()
    {
        var entries = new Dictionary<string, SafetensorsFile.Entry>(StringComparer.Ordinal);
        bool metadata = false;
        Expect(JsonTokenType.StartObject);
        while (Next() == JsonTokenType.PropertyName)
        {
            string name = ReadText();
            if (name == "__metadata__")
            {
                if (metadata)
                    throw Bad("__metadata__ is there twice");
                metadata = true;
                SkipMetadata();
                continue;
            }

            Charge(EntryBytes);
            if (!entries.TryAdd(name, ReadEntry(name)))
                throw Bad($"tensor {FileLimits.Printable(name)} is there twice");
            if (entries.Count > FileLimits.Tensors)
                throw Bad($"more than {FileLimits.Tensors} tensors");
        }

        return entries;
    }

    /// <summary>The metadata is free text that nothing here needs; it must still be text under names of its own.</summary>
    private void SkipMetadata()
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        Expect(JsonTokenType.StartObject);
        while (Next() == JsonTokenType.PropertyName)
        {
            Charge(EntryBytes);
            if (!names.Add(ReadText()))
                throw Bad("a name in __metadata__ is there twice");
            Expect(JsonTokenType.String);
        }
    }

    private SafetensorsFile.Entry ReadEntry(string name)
    {
        string? type = null;
        long[]? shape = null, range = null;
        Expect(JsonTokenType.StartObject);
        while (Next() == JsonTokenType.PropertyName)
        {
            if (_reader.ValueTextEquals("dtype"u8) && type is null)
            {
                Expect(JsonTokenType.String);
                type = ReadText();
            }
            else if (_reader.ValueTextEquals("shape"u8) && shape is null)
            {
                shape = ReadSizes(name, FileLimits.DimensionSize);
            }
            else if (_reader.ValueTextEquals("data_offsets"u8) && range is null)
            {
                range = ReadSizes(name, _dataLength);
            }
            else
            {
                throw BadTensor(name, "a field is there twice or has no meaning");
            }
        }

        if (type is null || shape is null || range is null)
            throw BadTensor(name, "dtype, shape or data_offsets is missing");
        if (range.Length != 2 || range[0] > range[1])
            throw BadTensor(name, "data_offsets are no range");
        var entry = new SafetensorsFile.Entry(name, type, shape, range[0], range[1] - range[0]);
        CheckSize(entry);
        return entry;
    }

    private long[] ReadSizes(string name, long limit)
    {
        Span<long> sizes = stackalloc long[MaxDimensions];
        int count = 0;
        Expect(JsonTokenType.StartArray);
        while (Next() == JsonTokenType.Number)
        {
            if (count == MaxDimensions || !_reader.TryGetInt64(out long size) || size < 0 || size > limit)
                throw BadTensor(name, $"a size or offset is out of range, at byte {_reader.TokenStartIndex} of the header");
            sizes[count++] = size;
        }

        return _reader.TokenType == JsonTokenType.EndArray ? sizes[..count].ToArray() : throw BadTensor(name, "a size or offset is no number");
    }

    private readonly void CheckSize(SafetensorsFile.Entry entry)
    {
        int bits = Bits(entry.Type);
        if (bits == 0)
            throw BadTensor(entry.Name, $"{FileLimits.Printable(entry.Type)} is no known dtype");
        UInt128 stored = 8 * (UInt128)(ulong)entry.ByteLength, needed = (uint)bits;
        if (entry.Shape.Contains(0))
            needed = 0;
        foreach (long size in entry.Shape)
        {
            needed *= (ulong)size;
            if (needed > stored)
                break;   // wrong already; stopping here keeps the product far from overflow
        }

        if (needed != stored)
            throw BadTensor(entry.Name, $"its shape and its {entry.ByteLength} bytes do not agree");
    }

    /// <summary>The tensors must cover the data from its first byte to its last without holes or overlaps.</summary>
    private readonly void CheckCover(Dictionary<string, SafetensorsFile.Entry> entries)
    {
        var order = new SafetensorsFile.Entry[entries.Count];
        entries.Values.CopyTo(order, 0);
        Array.Sort(order, static (a, b) => (a.Start, a.ByteLength).CompareTo((b.Start, b.ByteLength)));
        long end = 0;
        foreach (SafetensorsFile.Entry entry in order)
        {
            if (entry.Start != end)
                throw BadTensor(entry.Name, $"it starts at {entry.Start}, {(entry.Start < end ? "inside" : "behind a hole after")} the one that ends at {end}");
            end += entry.ByteLength;
        }

        if (end != _dataLength)
            throw Bad($"the tensors end at {end}, the data at {_dataLength}");
    }

    private static int Bits(string type) => type switch
    {
        "F64" or "I64" or "U64" or "C64" => 64,
        "F32" or "I32" or "U32" => 32,
        "F16" or "BF16" or "I16" or "U16" => 16,
        "I8" or "U8" or "BOOL" or "F8_E4M3" or "F8_E5M2" or "F8_E8M0" or "F8_E4M3FNUZ" or "F8_E5M2FNUZ" => 8,
        "F6_E2M3" or "F6_E3M2" => 6,
        "F4" => 4,
        _ => 0,
    };

    private string ReadText()
    {
        Charge(StringBytes + (2L * _reader.ValueSpan.Length));
        return _reader.GetString()!;
    }

    private JsonTokenType Next() => _reader.Read() ? _reader.TokenType : throw Bad("it ends too early");

    private void Expect(JsonTokenType type)
    {
        JsonTokenType found = Next();
        if (found != type)
            throw Bad($"{found} where {type} must be, at byte {_reader.TokenStartIndex}");
    }

    private void Charge(long bytes)
    {
        _budget -= bytes;
        if (_budget < 0)
            throw Bad("reading it takes more memory than its size allows");
    }

    private readonly ModelFormatException Bad(string problem) => new($"{_path}: safetensors header: {problem}");

    private readonly ModelFormatException BadTensor(string name, string problem) =>
        new($"{_path}: tensor {FileLimits.Printable(name)}: {problem}");
}
