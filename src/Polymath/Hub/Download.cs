using System.Net;

namespace Polymath.Hub;

/// <summary>Brings one file into the cache: goes on where an earlier try ended, and keeps nothing that is not what was listed.</summary>
internal sealed class Download(HubClient client, HubOptions options, ModelCache cache, string repository, Action<string> tell)
{
    private const int BufferBytes = 1 << 18;

    /// <summary>The commit that the files come from, or the branch while it is not known.</summary>
    public string Revision { get; private set; } = "main";

    /// <summary>Asks for the files of a commit from now on; null leaves things as they are.</summary>
    public void Pin(string? commit)
    {
        if (commit is not null && Revision == "main")
            Revision = commit;
    }

    /// <summary>The SHA-256 under which the content is in the cache, when it has come.</summary>
    /// <param name="file">What to bring.</param>
    /// <param name="progress">Told the bytes that are there.</param>
    /// <param name="cancellation">Ends the work; what has come stays, to be gone on from.</param>
    public async Task<string> Bring(HubFile file, Action<long> progress, CancellationToken cancellation)
    {
        if (file.Sha256 is not null && cache.HasBlob(file.Sha256, file.Size))
            return file.Sha256;
        using var part = PartialFile.Open(cache.PartialPath(file), file);
        part.Resume(cancellation);
        bool resumed = part.Length > 0;
        var tries = new Tries(options, tell);
        while (true)
        {
            await Fill(part, file, tries, progress, cancellation).ConfigureAwait(false);
            if (part.IsWhole(out string sha256))
            {
                cache.PlaceBlob(part, sha256);
                return sha256;
            }

            part.Restart();   // wrong bytes: never to be gone on from
            if (!resumed)
            {
                part.Delete();
                throw new HubException($"{repository}: {file.Name} came damaged: its hash is not the one listed; nothing of it was kept");
            }

            tell($"{file.Name}: what was there from before is damaged; starting over");
            resumed = false;
        }
    }

    private async Task Fill(PartialFile part, HubFile file, Tries tries, Action<long> progress, CancellationToken cancellation)
    {
        progress(part.Length);
        while (part.Length < file.Size)
        {
            long before = part.Length;
            try
            {
                await Receive(part, file, progress, cancellation).ConfigureAwait(false);
            }
            catch (HubException e) when (e.IsPassing)
            {
                if (part.Length > before)
                    tries.Reset();
                await tries.Again(e, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>One request, and as much of the file as comes of it.</summary>
    private async Task Receive(PartialFile part, HubFile file, Action<long> progress, CancellationToken cancellation)
    {
        using HubAnswer answer = await client.Open(repository, Revision, file.Path, part.Length, part.Tag, cancellation).ConfigureAwait(false);
        Pin(answer.Commit);
        if (file.Sha256 is not null && answer.LinkedDigest is { } digest && digest != file.Sha256)
            throw new HubException($"{repository} was changed on the hub meanwhile; try again");
        long start = Start(answer, part, file);
        if (answer.Length is { } length && length != file.Size - start)
            throw new HubException($"{repository}: {file.Name} has {start + length} bytes on {answer.Address.Host}, not the {file.Size} listed");
        if (start == 0)
        {
            part.Restart();
            part.SetTag(answer.StrongTag);
        }

        Stream body = await answer.Body(cancellation).ConfigureAwait(false);
        byte[] buffer = new byte[BufferBytes];
        while (true)
        {
            int count = await client.Read(body, buffer, cancellation).ConfigureAwait(false);
            if (count == 0)
                break;
            if (count > file.Size - part.Length)
                throw new HubException($"{repository}: {file.Name} is longer on {answer.Address.Host} than the {file.Size} bytes listed");
            part.Append(buffer.AsSpan(0, count));
            progress(part.Length);
        }

        if (part.Length < file.Size)
            throw new HubException("the connection broke") { IsPassing = true };
    }

    /// <summary>The byte of the file that the answer starts at: where we are, or 0.</summary>
    private long Start(HubAnswer answer, PartialFile part, HubFile file)
    {
        if (answer.Status == HttpStatusCode.OK)
            return 0;   // asked for all, or the server does not know ranges, or the file is another now
        if (answer.Status == HttpStatusCode.PartialContent && part.Length > 0
            && answer.Range is { Unit: "bytes" } range && range.From == part.Length && range.To == file.Size - 1
            && (range.Length is null || range.Length == file.Size))
        {
            return part.Length;
        }

        part.Restart();
        throw new HubException($"{repository}: {answer.Address.Host} sent another part of {file.Name} than was asked for") { IsPassing = true };
    }
}
