namespace Polymath.Files;

/// <summary>
/// The tensor formats a GGUF file may name, with the sizes of their blocks, whether this engine computes with them
/// or not: a file is checked and listed whole before any tensor is used. Numbers and sizes as in ggml
/// (https://github.com/ggml-org/ggml, ggml.h and ggml-common.h); ids that ggml gave up are left out.
/// </summary>
public static class GgmlTypes
{
    private readonly record struct Entry(string? Name, int BlockLength, int BlockBytes);

    private static readonly Entry[] Entries = MakeEntries();

    /// <summary>True when the number names a format.</summary>
    public static bool IsKnown(int id) => (uint)id < (uint)Entries.Length && Entries[id].Name is not null;

    /// <summary>Name of the format, for example Q4_K; "type N" where the number names none.</summary>
    public static string Name(int id) => IsKnown(id) ? Entries[id].Name! : $"type {id}";

    /// <summary>Elements in a block.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number names no format.</exception>
    public static int BlockLength(int id) => Known(id).BlockLength;

    /// <summary>Bytes of a block.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number names no format.</exception>
    public static int BlockBytes(int id) => Known(id).BlockBytes;

    private static Entry Known(int id) =>
        IsKnown(id) ? Entries[id] : throw new ArgumentOutOfRangeException(nameof(id), id, "no tensor format has this number");

    private static Entry[] MakeEntries()
    {
        var entries = new Entry[43];
        entries[0] = new("F32", 1, 4);
        entries[1] = new("F16", 1, 2);
        entries[2] = new("Q4_0", 32, 18);
        entries[3] = new("Q4_1", 32, 20);
        entries[6] = new("Q5_0", 32, 22);
        entries[7] = new("Q5_1", 32, 24);
        entries[8] = new("Q8_0", 32, 34);
        entries[9] = new("Q8_1", 32, 36);
        entries[10] = new("Q2_K", 256, 84);
        entries[11] = new("Q3_K", 256, 110);
        entries[12] = new("Q4_K", 256, 144);
        entries[13] = new("Q5_K", 256, 176);
        entries[14] = new("Q6_K", 256, 210);
        entries[15] = new("Q8_K", 256, 292);
        entries[16] = new("IQ2_XXS", 256, 66);
        entries[17] = new("IQ2_XS", 256, 74);
        entries[18] = new("IQ3_XXS", 256, 98);
        entries[19] = new("IQ1_S", 256, 50);
        entries[20] = new("IQ4_NL", 32, 18);
        entries[21] = new("IQ3_S", 256, 110);
        entries[22] = new("IQ2_S", 256, 82);
        entries[23] = new("IQ4_XS", 256, 136);
        entries[24] = new("I8", 1, 1);
        entries[25] = new("I16", 1, 2);
        entries[26] = new("I32", 1, 4);
        entries[27] = new("I64", 1, 8);
        entries[28] = new("F64", 1, 8);
        entries[29] = new("IQ1_M", 256, 56);
        entries[30] = new("BF16", 1, 2);
        entries[34] = new("TQ1_0", 256, 54);
        entries[35] = new("TQ2_0", 256, 66);
        entries[39] = new("MXFP4", 32, 17);
        entries[40] = new("NVFP4", 64, 36);
        entries[41] = new("Q1_0", 128, 18);
        entries[42] = new("Q2_0", 64, 18);
        return entries;
    }
}
